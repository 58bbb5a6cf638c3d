#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rw::sip {

/// A sip:, sips: or tel: URI (RFC 3261 19.1, RFC 3966). Parts are kept unescaped where that is safe (user), verbatim
/// elsewhere.
struct Uri {
  std::string scheme;           ///< "sip", "sips", "tel", lower case
  std::string user;             ///< unescaped; for tel: the number
  std::string user_parameters;  ///< ";phone-context=…" as written inside the user part, or empty
  std::string host;             ///< lower case, without brackets
  std::uint16_t port = 0;       ///< 0: not given
  std::vector<std::pair<std::string, std::string>> parameters;  ///< in order; names lower case; empty value: a flag
  std::string headers;                                          ///< after '?', verbatim

  static Result<Uri> parse(std::string_view text);
  std::string to_string() const;
  /// The value of a parameter, or null. `name` in lower case.
  const std::string* parameter(std::string_view name) const;
};

/// name-addr or addr-spec with header parameters, as in From, To, Contact, P-Asserted-Identity (RFC 3261 20.10).
struct NameAddress {
  std::string display_name;  ///< without quotes and escapes
  Uri uri;
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names lower case; values without quotes

  static Result<NameAddress> parse(std::string_view text);
  std::string to_string() const;
  const std::string* parameter(std::string_view name) const;
};

/// Splits a header value at commas outside quotes and angle brackets.
std::vector<std::string_view> split_list(std::string_view value);

}  // namespace rw::sip
