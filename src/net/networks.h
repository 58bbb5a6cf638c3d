#pragma once

#include <algorithm>
#include <vector>

#include "net/address.h"

namespace rw::net {

/// Whether the address is in one of the networks.
inline bool is_in(const std::vector<Network>& networks, const Address& address) {
  return std::ranges::any_of(networks, [&](const auto& network) { return network.contains(address); });
}

}  // namespace rw::net
