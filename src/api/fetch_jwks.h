#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "api/jwt_keys.h"
#include "base/result.h"
#include "net/address_policy.h"

namespace rw::api {

/// A customer's key set as its address gave it.
struct FetchedJwks {
  std::vector<JwtKey> keys;
  std::chrono::seconds lifetime{};  ///< how long it may be used without asking again
};

/// How a key set is fetched. Its address comes from the customer, so it is checked like any other.
struct JwksFetchRules {
  net::AddressPolicy policy;
  std::string ca_file;  ///< certificates that are trusted in place of the system's
};

/// Fetches a key set and waits for it: at most 5 seconds, at most 256 KB, no redirects ◆. `cancel` gives it up.
Result<FetchedJwks> fetch_jwks(const std::string& url, const JwksFetchRules& rules, const std::atomic<bool>& cancel);

/// How long a key set is good for by its Cache-Control: max-age, within 5 minutes and 24 hours; an hour if it does not
/// say; 5 minutes if it must not be kept ◆.
std::chrono::seconds jwks_lifetime(std::string_view cache_control);

}  // namespace rw::api
