#pragma once

#include <optional>
#include <string_view>

namespace rw::call {

/// The digit in a SIP INFO: `application/dtmf-relay` ("Signal=5\r\nDuration=160") or `application/dtmf` ("5"). Nothing
/// if there is none.
std::optional<char> dtmf_of_info(std::string_view content_type, std::string_view body);

}  // namespace rw::call
