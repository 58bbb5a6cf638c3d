#pragma once

#include <vector>

#include "http/exchange.h"
#include "net/address.h"

namespace rw::http {

/// Who has sent a request that came from `peer`. A proxy that is trusted says it in X-Forwarded-For: the last address
/// there that is not a trusted proxy itself; what stands before it may be anybody's invention.
net::Address client_of(const IncomingRequest& request, const net::Address& peer,
                       const std::vector<net::Network>& trusted_proxies);

}  // namespace rw::http
