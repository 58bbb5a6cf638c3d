#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text that others have written and that goes into JSON, logs and files, where only UTF-8 may stand (RFC 8259
/// section 8.1).
namespace rw {

/// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

/// The text as it is; or, if it is no UTF-8, each of its octets read as a character of Latin-1.
std::string to_utf8(std::string text);

/// The beginning of a UTF-8 text, of at most `most` bytes, without a character that is cut.
std::string_view utf8_prefix(std::string_view text, std::size_t most);

}  // namespace rw
