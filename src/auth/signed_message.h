#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/signature_v4.h"
#include "base/result.h"

namespace rw::auth {

/// A request that came in, as it stood on the wire.
struct ReceivedRequest {
  std::string_view method;
  std::string_view path;                ///< still percent-encoded
  const std::vector<NameValue>& query;  ///< decoded
  const std::vector<NameValue>& headers;
  std::string_view body;
};

/// A request with AWS Signature Version 4 in its Authorization header, taken apart and not yet believed: whose key it
/// is said to be, and what the signature has to be made of. Signatures in the query are not taken: who reads such an
/// address in a log could use it.
class SignedMessage {
 public:
  static constexpr std::int64_t clock_difference = 300;  ///< seconds, both ways
  static constexpr std::size_t longest_credentials = 8192;

  /// All that can be said without the key. The error is a sentence: another scheme or algorithm, a time too far from
  /// `now` (seconds since 1970), a scope that is not that day's or not `service`'s; Host, X-Amz-Date, another X-Amz-
  /// header or Idempotency-Key that is there and not signed; a body that is not the signed one; temporary credentials.
  static Result<SignedMessage> read(const ReceivedRequest& request, std::string_view service, std::int64_t now);

  const std::string& access_key_id() const { return access_key_id_; }
  const SignatureScope& scope() const { return scope_; }
  /// Whether the signature was made with that key, which has to be one for scope().
  bool is_signed_with(const SigningKey& key) const;

 private:
  SignedRequest request_;
  SignatureScope scope_;
  std::string access_key_id_, signature_;
};

/// Seconds since 1970 of YYYYMMDD'T'HHMMSS'Z'.
Result<std::int64_t> read_amz_date(std::string_view text);

}  // namespace rw::auth
