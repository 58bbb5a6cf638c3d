#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/jwt.h"
#include "tenant/directory.h"

namespace rw::api {

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
  explicit Authoriser(DirectorySource directory) : directory_(std::move(directory)) {}

  /// `credentials`: the Authorization header. Without valid ones an unknown domain and one that needs a token look the
  /// same (401); only where all domains are open, an unknown one is 404.
  tl::expected<std::shared_ptr<const tenant::Domain>, Refusal> authorise(std::string_view domain,
                                                                         std::optional<std::string_view> credentials,
                                                                         std::chrono::system_clock::time_point now);

 private:
  const JwtKeys& keys_of(const std::shared_ptr<const tenant::Domain>& domain);

  DirectorySource directory_;
  std::shared_ptr<const tenant::Directory> known_;  ///< whose keys are in `keys_`
  std::map<const tenant::Domain*, JwtKeys> keys_;
};

}  // namespace rw::api
