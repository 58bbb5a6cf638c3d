#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace rw::sip {

/// How many bytes at the beginning of what a stream brought are one message (RFC 3261 18.3), or a keep-alive (RFC
/// 5626 3.5.1); 0: it is not complete yet. An error: this is no SIP, or more than we take; the connection is of no use
/// any more.
Result<std::size_t> first_message(std::string_view buffered);

/// Whether a message of ours makes, or may make, a call: an INVITE, or a 2xx to one.
bool opens_call(std::string_view message);

}  // namespace rw::sip
