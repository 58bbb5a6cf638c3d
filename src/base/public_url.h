#pragma once

#include <string>
#include <string_view>

namespace rw {

/// A URL without what may be secret in it: user and password, the query, the fragment. Fit for logs and messages.
std::string public_url(std::string_view url);

/// The same URL with `mask` in the place of a user and a password. Another text stays as it is.
std::string with_hidden_user(std::string_view url, std::string_view mask);

}  // namespace rw
