#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "auth/signed_message.h"
#include "tenant/directory.h"

namespace rw::api {

/// The access keys of all domains, for requests that are signed with them (AWS Signature Version 4). Keeps what is
/// derived from a key for the day.
class AccessKeys {
 public:
  static constexpr std::string_view service = "execute-api";

  explicit AccessKeys(const tenant::Directory& directory);

  /// Whose key has signed the message: `preferred` if it was one of that domain's (several may have keys of one name),
  /// else another's; null if it was nobody's.
  std::shared_ptr<const tenant::Domain> signer_of(const auth::SignedMessage& message,
                                                  const std::shared_ptr<const tenant::Domain>& preferred);

 private:
  struct Key {
    std::shared_ptr<const tenant::Domain> domain;
    std::string secret, region;
    std::string day;  ///< that `derived` is good for
    auth::SigningKey derived{};
  };
  static bool has_signed(Key& key, const auth::SignedMessage& message);

  std::multimap<std::string, Key, std::less<>> keys_;  ///< by id
};

}  // namespace rw::api
