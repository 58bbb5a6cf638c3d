#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/time.h"
#include "net/address.h"

namespace rw::net {

/// Counts the bad credentials of each client, by net::Address::site(), so that nobody can guess for long. Not
/// thread-safe.
class FailedClients {
 public:
  static constexpr std::chrono::minutes window{1};
  static constexpr std::size_t most_clients = 10'000;  ///< beyond them those that failed longest ago are forgotten

  /// `most`: bad credentials that a client may show in a minute; 0: any number.
  explicit FailedClients(std::size_t most) : most_(most) {}

  /// Seconds until the client's credentials are looked at again, if it has shown too many bad ones.
  std::optional<int> barred(const Address& client, TimePoint now);
  /// It has shown bad credentials. True: those were the last that are looked at for now.
  bool failed(const Address& client, TimePoint now);

 private:
  struct Failures {
    std::size_t count = 0;
    TimePoint since;
  };
  void forget(TimePoint now);
  void forget_oldest();

  const std::size_t most_;
  std::unordered_map<std::string, Failures> clients_;
  std::deque<std::pair<std::string, TimePoint>> by_first_failure_;  ///< each of `clients_`, oldest first
};

}  // namespace rw::net
