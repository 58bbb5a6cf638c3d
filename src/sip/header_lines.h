#pragma once

#include <string>
#include <string_view>

namespace rw::sip {

/// Takes the first header off `rest`, with the lines that continue it (RFC 3261 7.3.1), line ends included.
std::string_view take_header(std::string_view& rest);
/// What stands before the first colon, without white space before it; empty: no colon.
std::string_view name_in(std::string_view header);
/// What stands behind it, on one line: without white space at its ends, each line break a space.
std::string value_in(std::string_view header);

}  // namespace rw::sip
