#include "sip/next_hops.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"

namespace rw::sip {
namespace {

std::optional<Transport> transport_of(const Uri& uri) {
  const auto* given = uri.parameter("transport");
  const auto name = given == nullptr ? "" : lower_case(*given);
  if (uri.scheme == "sips") {  // over TLS, which is over TCP (RFC 3261 26.2.2)
    if (name.empty() || name == "tcp" || name == "tls") return Transport::tls;
    return std::nullopt;
  }
  if (name.empty() || name == "udp") return Transport::udp;
  if (name == "tcp") return Transport::tcp;
  if (name == "tls") return Transport::tls;
  return std::nullopt;
}

}  // namespace

Result<std::vector<Flow>> literal_hops(const Uri& uri) {
  if (uri.scheme == "tel") return fail("a tel: URI leads nowhere without a route");
  const auto transport = transport_of(uri);
  if (!transport) return fail("a transport that is not UDP, TCP or TLS");
  const std::uint16_t standard = *transport == Transport::tls ? 5061 : 5060;
  const auto address = net::Address::from(uri.host, uri.port != 0 ? uri.port : standard);
  if (!address) return std::vector<Flow>{};
  Flow flow;
  flow.transport = *transport;
  flow.remote = *address;
  return std::vector<Flow>{flow};
}

std::string lookup_uri(const Uri& uri) {
  Uri bare;
  bare.scheme = uri.scheme;
  bare.host = uri.host;
  bare.port = uri.port;
  if (const auto* transport = uri.parameter("transport")) bare.parameters.emplace_back("transport", *transport);
  return bare.to_string();
}

const Flow* listener_for(const std::vector<Flow>& listeners, const Flow& hop) {
  const auto reaches = [&hop](const Flow& one) {
    const bool any = one.local.is_v6() && one.local.is_unspecified();  // a socket for both families
    return one.transport == hop.transport && (any || one.local.is_v6() == hop.remote.is_v6());
  };
  const auto found = std::find_if(listeners.begin(), listeners.end(), reaches);
  return found == listeners.end() ? nullptr : &*found;
}

}  // namespace rw::sip
