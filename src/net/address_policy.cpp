#include "net/address_policy.h"

#include "net/embedded_v4.h"
#include "net/networks.h"

namespace rw::net {
namespace {

/// IANA's registries of special-purpose addresses (RFC 6890): what isn't reachable from everywhere. Of IPv6 all that is
/// not global unicast (2000::/3, RFC 4291 section 2.4), whatever it is used for, or has been.
const std::vector<Network>& special_networks() {
  static const auto networks = [] {
    std::vector<Network> all;
    for (const auto* text :
         {"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
          "192.0.0.0/24",   "192.0.2.0/24",  "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
          "203.0.113.0/24", "224.0.0.0/4",   "240.0.0.0/4",    "::/3",           "4000::/2",       "8000::/1",
          "2001::/23",      "2001:db8::/32", "3fff::/20"})
      all.push_back(*Network::parse(text));
    return all;
  }();
  return networks;
}

}  // namespace

bool AddressPolicy::allows(const Address& address) const {
  if (is_in(also_, address)) return true;
  if (const auto v4 = embedded_v4(address)) return allows(*v4);
  return !is_in(special_networks(), address);
}

}  // namespace rw::net
