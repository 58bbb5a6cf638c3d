#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "speech/fetch_speech.h"

namespace rw::speech {

/// Access tokens of a Google service account: the JWT bearer grant of RFC 7523, signed with RS256. A token is kept
/// until shortly before it expires. Thread-safe; those who need one while it is being fetched wait for it.
class GoogleTokens {
 public:
  using Now = std::function<std::int64_t()>;  ///< seconds since 1970

  /// `credentials`: the JSON of the account's key file. The error names the member that is wrong.
  static Result<std::unique_ptr<GoogleTokens>> make(const std::string& credentials, Now now = {});
  ~GoogleTokens();

  /// A token that is valid now.
  Result<std::string> token(http::Transfers& transfers, const FetchOptions& options);
  /// The server refused this one: the next token() fetches another.
  void forget(const std::string& token);

 private:
  struct Key;
  GoogleTokens();
  Result<std::string> assertion(std::int64_t now) const;
  Result<void> fetch(http::Transfers& transfers, const FetchOptions& options, std::int64_t now);

  std::unique_ptr<Key> key_;
  std::string email_, key_id_, token_url_;
  Now now_;
  std::mutex mutex_;
  std::string token_;
  std::int64_t valid_until_ = 0;
};

}  // namespace rw::speech
