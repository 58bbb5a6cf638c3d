#include "rtp/codec.h"

#include <algorithm>
#include <cctype>

namespace rw::rtp {

std::optional<Codec> codec_named(std::string_view name) {
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  for (const auto& one : codecs) {
    if (std::equal(one.name.begin(), one.name.end(), name.begin(), name.end(), same)) return one.codec;
  }
  return std::nullopt;
}

}  // namespace rw::rtp
