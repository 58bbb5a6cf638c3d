#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Names in place of addresses in the c= lines of a description (RFC 8866 5.7): found and filled in, without reading
/// the rest.
namespace rw::sdp {

/// The first host that is a name and not an IP address; nothing if there is none.
std::optional<std::string> host_name(std::string_view description);
/// The description with `address` wherever a c= line has that name.
std::string with_address(std::string_view description, std::string_view name, std::string_view address);

}  // namespace rw::sdp
