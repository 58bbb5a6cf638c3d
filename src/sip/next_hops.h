#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sip/flow.h"
#include "sip/uri.h"

/// Where a request goes first (RFC 3263 section 4), as far as that can be said without the DNS.
namespace rw::sip {

/// The longest request that may go over UDP if there is another way (RFC 3261 18.1.1).
inline constexpr std::size_t max_udp_request = 1300;

/// The hop that a URI with an IP address names; empty if its host is a name and has to be looked up. `maddr` is
/// ignored: it would let anybody send us anywhere.
Result<std::vector<Flow>> literal_hops(const Uri& uri);
/// What of a URI a Lookup needs: scheme, host, port, transport.
std::string lookup_uri(const Uri& uri);
/// The listener that reaches `hop`, or null.
const Flow* listener_for(const std::vector<Flow>& listeners, const Flow& hop);

}  // namespace rw::sip
