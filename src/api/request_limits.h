#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "base/token_bucket.h"
#include "net/address.h"
#include "net/failed_clients.h"
#include "tenant/directory.h"

namespace rw::api {

/// Who asks too much: domains beyond their requests per second, and clients that show bad credentials again and again.
/// Used on the HTTP server's thread only.
class RequestLimits {
 public:
  static constexpr auto most_clients = net::FailedClients::most_clients;

  /// `most_failures`: bad credentials that a client may show in a minute; 0: any number.
  explicit RequestLimits(std::size_t most_failures) : clients_(most_failures) {}

  /// Counts a request that may act for the domain. Seconds until the next one may come, if this is one too many.
  std::optional<int> over_rate(const tenant::Domain& domain, TimePoint now);

  /// As those of net::FailedClients.
  std::optional<int> barred(const net::Address& client, TimePoint now) { return clients_.barred(client, now); }
  bool failed(const net::Address& client, TimePoint now) { return clients_.failed(client, now); }

 private:
  std::unordered_map<std::string, TokenBucket> domains_;
  net::FailedClients clients_;
};

}  // namespace rw::api
