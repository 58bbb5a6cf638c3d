#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rw::http {

inline constexpr std::size_t longest_base_url = 2048;

/// Whether `url` lies where `pattern`, "scheme://host:port[/path prefix]", says. "*" stands for any port; without a
/// port it is the scheme's; a prefix ends at a segment's end. Hosts are compared as they are written, without regard to
/// case; whether the name's addresses are allowed is another question (net::AddressPolicy). `url` has to be an absolute
/// http or https URL without userinfo, query and fragment. What is returned is the URL in its normal form, without a
/// slash at the end: nothing if it doesn't match.
std::optional<std::string> matching_url(std::string_view pattern, std::string_view url);

}  // namespace rw::http
