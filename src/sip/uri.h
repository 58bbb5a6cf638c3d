#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rw::sip {

/// A sip:, sips: or tel: URI (RFC 3261 19.1, RFC 3966). Parts are kept unescaped where that is safe (user), verbatim
/// elsewhere. Of any other URI the scheme is known, and nothing else is looked into.
struct Uri {
  std::string scheme;           ///< "sip", "sips", "tel", …, lower case
  std::string user;             ///< unescaped; for tel: the number
  std::string user_parameters;  ///< ";phone-context=…" as written inside the user part, or empty
  std::string host;             ///< lower case, without brackets
  std::uint16_t port = 0;       ///< 0: not given
  std::vector<std::pair<std::string, std::string>> parameters;  ///< in order; names lower case; empty value: a flag
  std::string headers;                                          ///< after '?', verbatim
  std::string opaque;  ///< of another scheme than those three: all that follows the colon, verbatim

  /// A sip:, sips: or tel: URI. The error of another one begins with `other_scheme`.
  static Result<Uri> parse(std::string_view text);
  /// Of any scheme: one in From or To is no reason to refuse a request (RFC 3261 8.2.2.1).
  static Result<Uri> parse_any(std::string_view text);
  static constexpr std::string_view other_scheme = "unsupported URI scheme";
  std::string to_string() const;
  /// The value of a parameter, or null. `name` in lower case.
  const std::string* parameter(std::string_view name) const;
};

/// name-addr or addr-spec with header parameters, as in From, To, Contact, P-Asserted-Identity (RFC 3261 20.10).
struct NameAddress {
  std::string display_name;  ///< without quotes and escapes
  Uri uri;
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names lower case; values without quotes

  /// With a sip:, sips: or tel: URI: a place that something can be sent to.
  static Result<NameAddress> parse(std::string_view text);
  /// With a URI of any scheme: a name of somebody.
  static Result<NameAddress> parse_any(std::string_view text);
  std::string to_string() const;
  const std::string* parameter(std::string_view name) const;
};

/// Splits a header value at commas outside quotes and angle brackets.
std::vector<std::string_view> split_list(std::string_view value);

}  // namespace rw::sip
