#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/address.h"

namespace rw::net {

/// Below are the services of systems.
inline constexpr std::uint16_t first_unprivileged_port = 1024;

/// Which addresses SIP requests may go to that others have named: the destinations of tenants, a Contact, a Route, what
/// their names lead to. Private networks may, since phones are there; what would reach this machine, its neighbours'
/// services or many at once may not. Asked for each address when something is to be sent there. Immutable.
class TargetPolicy {
 public:
  /// `loopback`: it may be reached too. `listed`: nothing else than these networks; those of at least 8 bits also where
  /// they are special, and at any port.
  explicit TargetPolicy(bool loopback = false, std::optional<std::vector<Network>> listed = std::nullopt)
      : loopback_(loopback), listed_(std::move(listed)) {}

  /// No, if not listed: loopback, link-local (cloud metadata), multicast, broadcast and unspecified addresses, IPv6
  /// forms of such IPv4 ones, and ports under 1024.
  bool allows(const Address& address) const;

 private:
  bool loopback_;
  std::optional<std::vector<Network>> listed_;
};

}  // namespace rw::net
