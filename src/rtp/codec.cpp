#include "rtp/codec.h"

#include <algorithm>

#include "base/ascii.h"

namespace rw::rtp {

std::optional<Codec> codec_named(std::string_view name) {
  for (const auto& one : codecs) {
    if (same_letters(one.name, name)) return one.codec;
  }
  return std::nullopt;
}

}  // namespace rw::rtp
