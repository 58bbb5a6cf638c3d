#pragma once

#include <string>
#include <string_view>

/// What is left of personal data and secrets in a log line. One place for the whole program; docs/security.md says
/// what.
namespace rw::ops {

/// A value that is personal as a whole (a number, a user part, a SIP address): "***67", or "***67@host" of an address.
/// At most the last two characters of the user part stay, and only if it has six or more.
std::string mask_personal(std::string_view value);

/// A sentence or JSON text in which personal data may stand: users of SIP and mail addresses and runs of six or more
/// digits are masked.
std::string mask_text(std::string_view text);

/// Takes the secrets that can be told by their form out of a text: user, password and query of URLs, JSON Web Tokens.
std::string without_secrets(std::string_view text);

}  // namespace rw::ops
