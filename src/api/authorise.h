#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/access_keys.h"
#include "api/jwks_cache.h"
#include "api/jwt_keys.h"
#include "http/exchange.h"
#include "tenant/directory.h"

namespace rw::api {

/// What a request shows to be let in.
enum class Scheme : std::uint8_t {
  bearer,     ///< a JSON Web Token that the customer has signed
  signature,  ///< AWS Signature Version 4 with one of the domain's access keys
};

/// Why a request is turned away: 401, 403 or 404, and a sentence.
struct Refusal {
  int status = 401;
  std::string reason;
};

/// Decides whether a request may act for the domain in its path. Used on the HTTP server's thread only: it keeps the
/// domains' keys read.
class Authoriser {
 public:
  using DirectorySource = std::function<std::shared_ptr<const tenant::Directory>()>;
  using SystemTime = std::chrono::system_clock::time_point;
  /// `jwks`: for domains whose keys are fetched; null: those have none.
  explicit Authoriser(DirectorySource directory, std::shared_ptr<JwksCache> jwks = nullptr)
      : directory_(std::move(directory)), jwks_(std::move(jwks)) {}

  /// `credentials`: the Authorization header. Without valid ones an unknown domain and one that needs a token look the
  /// same (401); only where all domains are open, an unknown one is 404.
  tl::expected<std::shared_ptr<const tenant::Domain>, Refusal> authorise(std::string_view domain,
                                                                         std::optional<std::string_view> credentials,
                                                                         SystemTime now);
  /// The same for a request that is signed.
  tl::expected<std::shared_ptr<const tenant::Domain>, Refusal> authorise_signed(std::string_view domain,
                                                                                const http::IncomingRequest& request,
                                                                                SystemTime now);
  /// Whether a token can be judged better soon, because keys are being fetched: then `then` is called on the loop. If
  /// not, it isn't.
  bool wait_for_keys(std::string_view domain, std::optional<std::string_view> credentials, SystemTime now,
                     std::function<void()> then);

 private:
  void take_directory();
  const JwtKeys& keys_of(const std::shared_ptr<const tenant::Domain>& domain);
  bool has_signed(const std::shared_ptr<const tenant::Domain>& domain, const Jwt& token, int& most_tries);

  DirectorySource directory_;
  std::shared_ptr<JwksCache> jwks_;
  std::shared_ptr<const tenant::Directory> known_;                 ///< whose keys are in `keys_`
  std::map<std::shared_ptr<const tenant::Domain>, JwtKeys> keys_;  ///< but for the fetched ones
  std::optional<AccessKeys> access_keys_;
};

}  // namespace rw::api
