#include "base/ids.h"

#include <sys/random.h>

#include <stdexcept>

namespace rw {

std::uint64_t IdSource::number() {
  if (next_ == pool_.size()) {
    auto* bytes = reinterpret_cast<char*>(pool_.data());
    for (std::size_t filled = 0; filled < sizeof pool_;) {
      const auto got = getrandom(bytes + filled, sizeof pool_ - filled, 0);
      if (got < 0) throw std::runtime_error("getrandom failed");
      filled += static_cast<std::size_t>(got);
    }
    next_ = 0;
  }
  return pool_[next_++];
}

std::string IdSource::uuid() {
  static constexpr char hex[] = "0123456789abcdef";
  std::array<std::uint64_t, 2> bits{number(), number()};
  bits[0] = (bits[0] & 0xffffffffffff0fffULL) | 0x4000U;                // version 4
  bits[1] = (bits[1] & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;  // RFC 4122 variant
  std::string id(36, '-');
  std::size_t nibble = 0;
  for (std::size_t at = 0; at < id.size(); ++at) {
    if (at == 8 || at == 13 || at == 18 || at == 23) continue;
    id[at] = hex[(bits[nibble / 16] >> (60 - 4 * (nibble % 16))) & 0xf];
    ++nibble;
  }
  return id;
}

std::string IdSource::token(std::size_t length) {
  static constexpr char alphabet[] = "0123456789abcdefghijklmnopqrstuv";
  std::string text(length, '0');
  std::uint64_t bits = 0;
  for (std::size_t at = 0; at < length; ++at) {
    if (at % 12 == 0) bits = number();
    text[at] = alphabet[bits & 31];
    bits >>= 5;
  }
  return text;
}

}  // namespace rw
