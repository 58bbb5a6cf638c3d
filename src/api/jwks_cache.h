#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "api/fetch_jwks.h"
#include "base/time.h"
#include "ops/log.h"

namespace rw::api {

/// The key sets of customers who name an address for them. Each is fetched in the background when it is first needed,
/// again when four fifths of its time are over, and once more when a token is signed with a key that is not in it (keys
/// are changed this way), but not more often than once a minute for that ◆. While the address does not answer, the keys
/// from before are used for another day ◆, and it is asked again after 5 seconds at first and 5 minutes in the end ◆.
///
/// Belongs to the thread of the loop, but for stop(). Fetches run on threads of its own.
class JwksCache {
 public:
  using Fetch = std::function<Result<FetchedJwks>(const std::string& url, const std::atomic<bool>& cancel)>;

  static constexpr Duration unknown_key_pause = std::chrono::seconds(60);
  static constexpr Duration keys_outlive_by = std::chrono::hours(24);
  static constexpr Duration longest_wait = std::chrono::seconds(5);
  static constexpr std::size_t most_waiting = 100;  ///< requests for one address

  JwksCache(boost::asio::io_context& loop, Fetch fetch, const ops::Log& log);
  ~JwksCache();
  JwksCache(const JwksCache&) = delete;
  JwksCache& operator=(const JwksCache&) = delete;

  struct Found {
    std::shared_ptr<const JwtKeys> keys;  ///< null: none have come yet
    bool worth_waiting = false;           ///< better ones may come soon: see wait()
  };
  /// The keys at hand; begins a fetch if it is time for one.
  Found find(const std::string& url, TimePoint now);
  /// The same, and no fetch is begun.
  std::shared_ptr<const JwtKeys> at_hand(const std::string& url, TimePoint now) const;
  /// The keys at hand do not fit a token: true if others may come soon.
  bool renew(const std::string& url, TimePoint now);
  /// Calls `then` on the loop when the fetch under way has ended, or after longest_wait. False if nothing is under way,
  /// or too many wait already.
  bool wait(const std::string& url, std::function<void()> then);
  /// Forgets all but these.
  void keep(const std::set<std::string>& urls);

  /// Nobody waits any more, and no fetch begins. From any thread.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rw::api
