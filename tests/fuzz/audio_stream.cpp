// A file from anybody that comes in pieces: decoding it ends, in bounded time and memory, and pieces make no
// difference.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "audio/stream_decoder.h"

namespace {

/// The number of samples, and whether it was well to the end.
std::pair<std::size_t, bool> decode(std::span<const char> bytes, std::size_t piece) {
  rw::audio::StreamDecoder decoder;
  std::vector<float> heard;
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    if (!decoder.feed(part, heard)) return {heard.size(), false};
    bytes = bytes.subspan(part.size());
  }
  const bool finished = decoder.finish(heard).has_value();
  return {heard.size(), finished};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = decode(bytes, size == 0 ? 1 : size);
  const auto parts = decode(bytes, 61);
  if (whole.second != parts.second || (whole.second && whole.first != parts.first)) std::abort();
  return 0;
}
