#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/time.h"
#include "base/token_bucket.h"
#include "net/address.h"
#include "tenant/directory.h"

namespace rw::api {

/// Who asks too much: domains beyond their requests per second, and clients that show bad credentials again and again.
/// Used on the HTTP server's thread only.
class RequestLimits {
 public:
  static constexpr std::chrono::minutes window{1};
  static constexpr std::size_t most_clients = 10'000;  ///< beyond them those that failed longest ago are forgotten

  /// `most_failures`: bad credentials that a client may show in a minute; 0: any number.
  explicit RequestLimits(std::size_t most_failures) : most_failures_(most_failures) {}

  /// Counts a request that may act for the domain. Seconds until the next one may come, if this is one too many.
  std::optional<int> over_rate(const tenant::Domain& domain, TimePoint now);

  /// Seconds until the client's credentials are looked at again, if it has shown too many bad ones.
  std::optional<int> barred(const net::Address& client, TimePoint now);
  /// It has shown bad credentials. True: those were the last that are looked at for now.
  bool failed(const net::Address& client, TimePoint now);

 private:
  struct Failures {
    std::size_t count = 0;
    TimePoint since;
  };
  void forget(TimePoint now);
  void forget_oldest();

  const std::size_t most_failures_;
  std::unordered_map<std::string, TokenBucket> domains_;
  std::unordered_map<std::string, Failures> clients_;               ///< by net::Address::site()
  std::deque<std::pair<std::string, TimePoint>> by_first_failure_;  ///< each of `clients_`, oldest first
};

}  // namespace rw::api
