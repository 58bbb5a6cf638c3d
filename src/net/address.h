#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rw::net {

/// An IPv4 or IPv6 address with a port. A small value; the default is 0.0.0.0:0.
class Address {
 public:
  Address();
  /// From what the kernel returned. An unknown family becomes the default.
  Address(const sockaddr* raw, socklen_t length);

  /// `host` is a literal without brackets ("10.0.0.1", "::1").
  static Result<Address> from(std::string_view host, std::uint16_t port);
  /// "10.0.0.1:5060", "[::1]:5060".
  static Result<Address> parse(std::string_view text);

  std::string host() const;       ///< "10.0.0.1", "::1"
  std::string to_string() const;  ///< "10.0.0.1:5060", "[::1]:5060"
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  bool is_v6() const;
  bool is_loopback() const;
  bool is_unspecified() const;
  /// The host as far as its user can't change it at will: of IPv6 the first 64 bits. "10.0.0.1", "2001:db8:1:2::".
  std::string site() const;
  /// The same host, whatever the ports.
  bool same_host(const Address& other) const;

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const;

  bool operator==(const Address& other) const;

 private:
  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_;
};

/// "10.0.0.0/8", "::1/128", or an address without a length for just that host.
class Network {
 public:
  static Result<Network> parse(std::string_view text);
  bool contains(const Address& address) const;

 private:
  Address base_;
  int prefix_ = 0;
};

}  // namespace rw::net

template <>
struct std::hash<rw::net::Address> {
  std::size_t operator()(const rw::net::Address& address) const noexcept;
};
