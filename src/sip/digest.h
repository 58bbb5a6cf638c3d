#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

/// HTTP digest authentication as SIP uses it (RFC 3261 section 22, RFC 7616, RFC 8760). Pure: no state, no clock. What
/// stands between quotes is kept as it is written there, escapes included, as that is what is hashed.
namespace rw::sip {

enum class DigestAlgorithm : std::uint8_t { md5, sha256 };

/// "MD5", "SHA-256"
std::string_view to_string(DigestAlgorithm algorithm);

/// The value of WWW-Authenticate or Proxy-Authenticate.
struct DigestChallenge {
  std::string realm, nonce, opaque;
  DigestAlgorithm algorithm = DigestAlgorithm::md5;
  bool stale = false;
  bool qop_auth = false;  ///< qop=auth is offered; otherwise there is no qop at all (RFC 2069)

  /// The error says why it can't be answered: another scheme, algorithm or qop, or broken.
  static Result<DigestChallenge> parse(std::string_view value);
  std::string to_string() const;
};

/// The value of Authorization or Proxy-Authorization.
struct DigestAnswer {
  std::string username, realm, nonce, uri, response, cnonce, opaque;
  DigestAlgorithm algorithm = DigestAlgorithm::md5;
  std::uint32_t nonce_count = 0;
  bool qop_auth = false;

  static Result<DigestAnswer> parse(std::string_view value);
  std::string to_string() const;
  /// What `response` has to be for this password (RFC 7616 3.4.1).
  std::string expected_response(std::string_view password, std::string_view method) const;
};

}  // namespace rw::sip
