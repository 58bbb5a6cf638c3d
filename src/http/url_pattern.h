#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rw::http {

inline constexpr std::size_t longest_base_url = 2048;

/// Whether requests can be sent to `url`: http or https, with a host, a port from 1 to 65535 if any, and no fragment;
/// at most longest_base_url characters. A user, a password and a query may be in it.
bool is_usable_url(std::string_view url);

/// `url` with `path` behind its own path, before its query.
std::string with_path(std::string_view url, std::string_view path);

/// Whether `pattern` is one that matching_url() can find something by.
bool is_url_pattern(std::string_view pattern);

/// Whether `url` lies where `pattern`, "scheme://host:port[/path prefix]", says. "*" stands for any port; without a
/// port it is the scheme's; a prefix ends at a segment's end. Hosts are compared as they are written, without regard to
/// case; whether the name's addresses are allowed is another question (net::AddressPolicy). `url` has to be an absolute
/// http or https URL without userinfo, query and fragment. What is returned is the URL in its normal form, without a
/// slash at the end: nothing if it doesn't match.
std::optional<std::string> matching_url(std::string_view pattern, std::string_view url);

}  // namespace rw::http
