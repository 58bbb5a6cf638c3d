#pragma once

#include <string>

#include "net/address.h"
#include "sdp/problem.h"
#include "sip/user_agent.h"

namespace rw::call {

/// The headers of a 488 that say what could not be served (RFC 3261 13.3.1.3, 20.43), by `us`.
sip::Headers warning_of(const sdp::Problem& problem, const net::Address& us);

}  // namespace rw::call
