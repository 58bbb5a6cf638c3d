#pragma once

#include <string>
#include <string_view>

namespace rw {

/// A URL without what may be secret in it: user and password, the query, the fragment. Fit for logs and messages.
std::string public_url(std::string_view url);

}  // namespace rw
