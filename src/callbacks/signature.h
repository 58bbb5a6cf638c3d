#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rw::callbacks {

/// Signs callbacks: a JWT that holds the hash of the body, RS256 or ES256 by the kind of the key. An RSA signature
/// takes some thirty times as long to make. Not thread-safe.
class Signer {
 public:
  /// `pem`: a private key, RSA or EC P-256.
  static Result<Signer> from_pem(std::string_view pem);
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  /// Valid for 60 s from `now`. `jti` must be new for each request that is sent. Empty if signing fails.
  std::string token(std::string_view issuer, std::string_view body, std::string_view jti,
                    std::chrono::system_clock::time_point now) const;

 private:
  class Key;
  explicit Signer(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

/// Lower-case hex of the SHA-256 of `bytes`.
std::string sha256_hex(std::string_view bytes);

}  // namespace rw::callbacks
