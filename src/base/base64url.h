#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rw {

/// RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes);
/// Nothing if `text` has a character that does not belong there.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace rw
