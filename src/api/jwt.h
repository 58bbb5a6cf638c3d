#pragma once

#include <openssl/evp.h>

#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rw::api {

/// A compact JSON Web Token (RFC 7519) taken apart, not yet believed.
struct Jwt {
  enum class Algorithm : std::uint8_t { hs256, rs256, es256 };
  Algorithm algorithm = Algorithm::hs256;
  boost::json::object claims;
  std::string signed_part;  ///< header and claims as they were sent
  std::string signature;

  /// At most 8 KB; an algorithm other than the three, or a critical extension, is an error.
  static Result<Jwt> parse(std::string_view token);

  /// `exp` is there and has not passed; `nbf`, if there, has (a minute of clock difference is let pass).
  Result<void> check_time(std::chrono::system_clock::time_point now) const;
  /// The claims `domain` and `aud`, as far as they are there, name `domain` (without regard to case).
  bool is_for(std::string_view domain) const;
};

/// The keys that one customer's tokens may be signed with. A key is used with its own algorithm only, so that a public
/// key can never be taken for a shared secret.
class JwtKeys {
 public:
  /// `public_keys`: PEM texts, RSA or EC P-256; what can't be read is left out. `secret`: for HS256, or empty.
  JwtKeys(const std::vector<std::string>& public_keys, std::string secret);

  bool has_signed(const Jwt& token) const;

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  std::vector<std::unique_ptr<EVP_PKEY, FreeKey>> keys_;
  std::string secret_;
};

}  // namespace rw::api
