#pragma once

#include <vector>

#include "net/address.h"

namespace rw::net {

/// Which addresses a request may go to whose URL comes from outside the configuration. Checked for each connection,
/// when the name has been resolved, so that neither a DNS answer nor a redirect leads inside. Immutable.
class AddressPolicy {
 public:
  /// Every public address, and what lies in `also`.
  explicit AddressPolicy(std::vector<Network> also) : also_(std::move(also)) {}
  /// No: loopback, private, link-local (cloud metadata is there), multicast, unspecified and reserved addresses, IPv6
  /// forms of such IPv4 ones included.
  bool allows(const Address& address) const;

 private:
  std::vector<Network> also_;
};

}  // namespace rw::net
