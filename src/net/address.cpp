#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace rw::net {

Address::Address() : storage_{} {
  storage_.v4.sin_family = AF_INET;
}

Address::Address(const sockaddr* raw, socklen_t length) : Address() {
  if (raw->sa_family == AF_INET && length >= sizeof(sockaddr_in)) std::memcpy(&storage_.v4, raw, sizeof(sockaddr_in));
  if (raw->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6))
    std::memcpy(&storage_.v6, raw, sizeof(sockaddr_in6));
}

Result<Address> Address::from(std::string_view host, std::uint16_t port) {
  const std::string text(host);
  Address address;
  if (inet_pton(AF_INET, text.c_str(), &address.storage_.v4.sin_addr) == 1) {
    address.set_port(port);
    return address;
  }
  address.storage_.v6 = {};
  if (inet_pton(AF_INET6, text.c_str(), &address.storage_.v6.sin6_addr) == 1) {
    address.storage_.v6.sin6_family = AF_INET6;
    address.set_port(port);
    return address;
  }
  return fail("not an IP address: " + text);
}

Result<Address> Address::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail("no port in address: " + std::string(text));
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size())
    return fail("not a port: " + std::string(digits));
  const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (!brackets && host.find(':') != std::string_view::npos)
    return fail("an IPv6 address needs brackets: " + std::string(text));
  return from(host, port);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = {};
  const void* bytes =
      is_v6() ? static_cast<const void*>(&storage_.v6.sin6_addr) : static_cast<const void*>(&storage_.v4.sin_addr);
  inet_ntop(is_v6() ? AF_INET6 : AF_INET, bytes, text, sizeof text);
  return text;
}

std::string Address::to_string() const {
  return (is_v6() ? "[" + host() + "]" : host()) + ":" + std::to_string(port());
}

std::uint16_t Address::port() const {
  return ntohs(is_v6() ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

void Address::set_port(std::uint16_t port) {
  if (is_v6()) {
    storage_.v6.sin6_port = htons(port);
  } else {
    storage_.v4.sin_port = htons(port);
  }
}

bool Address::is_v6() const {
  return storage_.v4.sin_family == AF_INET6;
}

bool Address::is_loopback() const {
  if (!is_v6()) return (ntohl(storage_.v4.sin_addr.s_addr) >> 24) == 127;
  return IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr);
}

bool Address::is_unspecified() const {
  if (!is_v6()) return storage_.v4.sin_addr.s_addr == 0;
  return IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr);
}

std::string Address::site() const {
  Address site = *this;
  if (is_v6()) std::fill_n(std::begin(site.storage_.v6.sin6_addr.s6_addr) + 8, 8, 0);
  return site.host();
}

bool Address::same_host(const Address& other) const {
  if (is_v6() != other.is_v6()) return false;
  if (!is_v6()) return storage_.v4.sin_addr.s_addr == other.storage_.v4.sin_addr.s_addr;
  return std::memcmp(&storage_.v6.sin6_addr, &other.storage_.v6.sin6_addr, sizeof(in6_addr)) == 0;
}

socklen_t Address::length() const {
  return is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

bool Address::operator==(const Address& other) const {
  return same_host(other) && port() == other.port();
}

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  auto base = Address::from(text.substr(0, slash), 0);
  if (!base) return tl::unexpected(base.error());
  Network network;
  network.base_ = *base;
  const int longest = base->is_v6() ? 128 : 32;
  network.prefix_ = longest;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix_);
    const bool whole = read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
    if (!whole || network.prefix_ < 0 || network.prefix_ > longest)
      return fail("not a prefix length: " + std::string(text));
  }
  return network;
}

bool Network::contains(const Address& address) const {
  if (address.is_v6() != base_.is_v6()) return false;
  const auto bytes = [](const Address& of) {
    return of.is_v6()
               ? reinterpret_cast<const unsigned char*>(&reinterpret_cast<const sockaddr_in6*>(of.raw())->sin6_addr)
               : reinterpret_cast<const unsigned char*>(&reinterpret_cast<const sockaddr_in*>(of.raw())->sin_addr);
  };
  const auto* wanted = bytes(base_);
  const auto* given = bytes(address);
  const auto whole = static_cast<std::size_t>(prefix_ / 8);
  if (!std::equal(wanted, wanted + whole, given)) return false;
  const int rest = prefix_ % 8;
  return rest == 0 || (wanted[whole] >> (8 - rest)) == (given[whole] >> (8 - rest));
}

}  // namespace rw::net

std::size_t std::hash<rw::net::Address>::operator()(const rw::net::Address& address) const noexcept {
  const std::string_view bytes(reinterpret_cast<const char*>(address.raw()), address.is_v6() ? 24 : 8);
  return std::hash<std::string_view>{}(bytes);
}
