#include "base/utf8.h"

#include <array>
#include <cstdint>

namespace rw {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at++]);
    if (lead < 0x80) continue;
    const int more = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >> 4 == 0xe ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (more == 0) return false;
    std::uint32_t point = lead & (0x3f >> more);
    for (int count = 0; count < more; ++count, ++at) {
      if (at >= text.size() || !continues(text[at])) return false;
      point = point << 6 | (static_cast<unsigned char>(text[at]) & 0x3f);
    }
    static constexpr std::array<std::uint32_t, 4> least{0, 0x80, 0x800, 0x10000};
    if (point < least[static_cast<std::size_t>(more)] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
      return false;
  }
  return true;
}

std::string to_utf8(std::string text) {
  if (is_utf8(text)) return text;
  std::string read;
  read.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      read += c;
    } else {
      read += static_cast<char>(0xc0 | octet >> 6);
      read += static_cast<char>(0x80 | (octet & 0x3f));
    }
  }
  return read;
}

std::string_view utf8_prefix(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && continues(text[most])) --most;
  return text.substr(0, most);
}

}  // namespace rw
