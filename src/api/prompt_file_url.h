#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/reply_token.h"

namespace rw::api {

/// Signs URLs of prompt files, so that who has one may GET that file from this server without a token, until it
/// expires. As with a pre-signed URL of S3, it stands for the name: once the file has been replaced, it brings the new
/// one. Thread-safe.
class PromptUrlSigner {
 public:
  static constexpr std::int64_t valid_seconds = 15 * 60;

  /// The key is derived from the replyIds' secret: all nodes that share it honour each other's URLs.
  explicit PromptUrlSigner(const ReplyTokens& tokens) : key_(tokens.derive_key("prompt file URLs")) {}

  /// Path and query, to be put behind the server's public URL. `now`: seconds since 1970.
  std::string sign(const std::string& domain, const std::string& name, std::int64_t now) const;
  /// Checks the query's `expires` and `signature`. Nothing: they are right. Otherwise a sentence.
  std::optional<std::string> check(const std::string& domain, const std::string& name, std::string_view expires,
                                   std::string_view signature, std::int64_t now) const;

 private:
  std::string signature(const std::string& domain, const std::string& name, std::string_view expires) const;

  std::string key_;
};

}  // namespace rw::api
