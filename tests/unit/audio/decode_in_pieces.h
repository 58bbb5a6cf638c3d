#pragma once

#include <array>
#include <functional>
#include <string>

#include "audio/decode.h"

namespace rw::audio::test {

/// Reads a file to its end. `take`: gets each piece, with its rate. The error says why it can't be played, or what is
/// missing at its end.
inline Result<void> decode_in_pieces(const std::string& path,
                                     const std::function<void(std::span<const float>, std::uint32_t)>& take,
                                     std::chrono::milliseconds most = max_duration) {
  FileReader file(path, most);
  std::array<float, 4096> room;
  while (!file.over()) {
    const auto got = file.read(room);
    if (!got) return tl::unexpected(got.error());
    if (*got > 0) take(std::span(room).first(*got), file.reader().rate());
  }
  return {};
}

}  // namespace rw::audio::test
