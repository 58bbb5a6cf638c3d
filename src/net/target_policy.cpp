#include "net/target_policy.h"

#include <algorithm>
#include <cstring>

#include "net/embedded_v4.h"
#include "net/networks.h"

namespace rw::net {
namespace {

const std::vector<Network>& refused_networks() {
  static const auto networks = [] {
    std::vector<Network> all;
    for (const auto* text : {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255", "::/96",
                             "fe80::/10", "ff00::/8"})
      all.push_back(*Network::parse(text));
    return all;
  }();
  return networks;
}

/// Whether the network has the address, and not half of all others too: at least 8 bits.
bool names(const Network& network, const Address& address) {
  if (!network.contains(address)) return false;
  sockaddr_storage raw{};
  std::memcpy(&raw, address.raw(), address.length());
  auto* first = address.is_v6() ? reinterpret_cast<unsigned char*>(&reinterpret_cast<sockaddr_in6*>(&raw)->sin6_addr)
                                : reinterpret_cast<unsigned char*>(&reinterpret_cast<sockaddr_in*>(&raw)->sin_addr);
  *first ^= 1U;
  return !network.contains(Address(reinterpret_cast<const sockaddr*>(&raw), address.length()));
}

}  // namespace

bool TargetPolicy::allows(const Address& address) const {
  if (const auto v4 = embedded_v4(address)) return allows(*v4);
  const bool named = listed_ && std::ranges::any_of(*listed_, [&](const Network& one) { return names(one, address); });
  if (named) return true;
  if (listed_ && !is_in(*listed_, address)) return false;
  if (address.port() < first_unprivileged_port) return false;
  return (loopback_ && address.is_loopback()) || !is_in(refused_networks(), address);
}

}  // namespace rw::net
