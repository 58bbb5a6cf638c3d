#include "net/embedded_v4.h"

#include <netinet/in.h>

#include <array>
#include <cstring>

namespace rw::net {

std::optional<Address> embedded_v4(const Address& address) {
  if (!address.is_v6()) return std::nullopt;
  const auto* bytes = reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr.s6_addr;
  constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<unsigned char, 12> translated{0, 0x64, 0xff, 0x9b};
  const unsigned char* found = nullptr;
  if (std::memcmp(bytes, mapped.data(), mapped.size()) == 0 ||
      std::memcmp(bytes, translated.data(), translated.size()) == 0)
    found = bytes + 12;
  if (bytes[0] == 0x20 && bytes[1] == 0x02) found = bytes + 2;
  if (found == nullptr) return std::nullopt;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(address.port());
  std::memcpy(&v4.sin_addr, found, 4);
  return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
}

}  // namespace rw::net
