#pragma once

#include <string_view>

namespace rw::sip {

/// The reason phrase that the RFCs give to a status; that of its class if they don't know it.
std::string_view reason_phrase(int status);

}  // namespace rw::sip
