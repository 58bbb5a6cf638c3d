#pragma once

#include <string>

#include "sip/message.h"

namespace rw::sip {

/// A sentence for the log that says why a response of ours refuses its request: what its headers tell, else what its
/// status means here.
std::string why_refused(const Message& response);

}  // namespace rw::sip
