#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/jwt.h"
#include "base/result.h"

namespace rw::api {

/// A public key that tokens may be signed with: RSA (for RS256 only) or EC on P-256 (for ES256 only).
struct JwtKey {
  static constexpr int least_rsa_bits = 2048;
  static constexpr int most_rsa_bits = 8192;  ///< larger ones take too long to check with

  std::string kid;  ///< its name, or empty
  std::shared_ptr<EVP_PKEY> key;

  /// The error says which keys there may be.
  static Result<JwtKey> make(std::string kid, std::shared_ptr<EVP_PKEY> key);
  static Result<JwtKey> from_pem(std::string_view pem);
};

/// The keys that one customer's tokens may be signed with. A key is used with its own algorithm only, so that a public
/// key can never be taken for a shared secret.
class JwtKeys {
 public:
  /// `public_keys`: PEM texts; what can't be used is left out. `secret`: for HS256, or empty.
  JwtKeys(const std::vector<std::string>& public_keys, std::string secret);
  /// Public keys only.
  explicit JwtKeys(std::vector<JwtKey> keys) : keys_(std::move(keys)) {}

  /// Whether a key has that name.
  bool knows(std::string_view kid) const;
  /// `most_tries`: so many public keys may be tried, all in all; counted down.
  bool has_signed(const Jwt& token, int& most_tries) const;

 private:
  std::vector<JwtKey> keys_;
  std::string secret_;
};

}  // namespace rw::api
