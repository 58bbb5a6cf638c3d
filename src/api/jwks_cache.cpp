#include "api/jwks_cache.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <map>
#include <utility>
#include <vector>

namespace rw::api {
namespace {

constexpr std::size_t fetch_threads = 4;
constexpr Duration first_pause = std::chrono::seconds(5);
constexpr Duration longest_pause = std::chrono::minutes(5);
constexpr int most_doublings = 6;

/// An address as it may stand in a log: without the query, which may hold a secret.
std::string without_query(const std::string& url) {
  return url.substr(0, url.find('?'));
}

}  // namespace

class JwksCache::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& loop, Fetch fetch, const ops::Log& log)
      : loop_(loop), fetch_(std::move(fetch)), log_(log), threads_(fetch_threads) {}

  struct Entry {
    explicit Entry(boost::asio::io_context& loop) : deadline(loop) {}
    std::shared_ptr<const JwtKeys> keys;
    TimePoint due{};         ///< of the next fetch
    TimePoint stale_at{};    ///< from then on it is better to wait for that fetch
    TimePoint useless_at{};  ///< from then on they are not used any more
    TimePoint renewed_at = TimePoint::min();
    int failures = 0;  ///< since the last success
    bool fetching = false;
    std::vector<std::function<void()>> waiting;
    boost::asio::steady_timer deadline;
  };

  Found find(const std::string& url, TimePoint now) {
    auto& entry = this->entry(url);
    if (now >= entry.due) begin(url, entry);
    if (entry.keys && now >= entry.useless_at) entry.keys.reset();
    const bool old = !entry.keys || (now >= entry.stale_at && entry.failures == 0);
    return {entry.keys, entry.fetching && old};
  }

  std::shared_ptr<const JwtKeys> at_hand(const std::string& url, TimePoint now) const {
    const auto found = entries_.find(url);
    return found == entries_.end() || now >= found->second.useless_at ? nullptr : found->second.keys;
  }

  bool renew(const std::string& url, TimePoint now) {
    auto& entry = this->entry(url);
    if (entry.fetching) return true;
    const bool too_soon = entry.renewed_at != TimePoint::min() && now < entry.renewed_at + unknown_key_pause;
    if (too_soon || (entry.failures > 0 && now < entry.due)) return false;
    entry.renewed_at = now;
    begin(url, entry);
    return entry.fetching;
  }

  bool wait(const std::string& url, std::function<void()> then) {
    auto& entry = this->entry(url);
    if (!entry.fetching || entry.waiting.size() >= most_waiting) return false;
    entry.waiting.push_back(std::move(then));
    if (entry.waiting.size() > 1) return true;
    entry.deadline.expires_after(longest_wait);
    entry.deadline.async_wait([self = shared_from_this(), url](const boost::system::error_code& error) {
      if (!error) self->release(url);
    });
    return true;
  }

  void keep(const std::set<std::string>& urls) {
    for (auto at = entries_.begin(); at != entries_.end();) {
      if (urls.contains(at->first)) {
        ++at;
        continue;
      }
      const auto waiting = std::exchange(at->second.waiting, {});
      at = entries_.erase(at);
      for (const auto& then : waiting) boost::asio::post(loop_, then);
    }
  }

  void stop() {
    cancel_ = true;
    boost::asio::post(loop_, [self = shared_from_this()] { self->keep({}); });
  }

  void join() {
    cancel_ = true;
    threads_.stop();
    threads_.join();
  }

 private:
  Entry& entry(const std::string& url) { return entries_.try_emplace(url, loop_).first->second; }

  void begin(const std::string& url, Entry& entry) {
    if (entry.fetching || cancel_) return;
    entry.fetching = true;
    boost::asio::post(threads_, [this, url] {  // join() waits for it
      auto fetched = std::make_shared<Result<FetchedJwks>>(fetch_(url, cancel_));
      boost::asio::post(loop_, [weak = weak_from_this(), url, fetched] {
        if (const auto self = weak.lock()) self->fetched(url, std::move(*fetched), Clock::now());
      });
    });
  }

  void fetched(const std::string& url, Result<FetchedJwks> result, TimePoint now) {
    const auto found = entries_.find(url);
    if (found == entries_.end()) return;  // it has been forgotten
    auto& entry = found->second;
    entry.fetching = false;
    if (result) {
      entry.failures = 0;
      entry.keys = std::make_shared<const JwtKeys>(std::move(result->keys));
      entry.due = now + result->lifetime * 4 / 5;
      entry.stale_at = now + result->lifetime;
      entry.useless_at = entry.stale_at + keys_outlive_by;
    } else {
      entry.due = now + std::min(longest_pause, first_pause * (1 << std::min(entry.failures, most_doublings)));
      ++entry.failures;
      log_.warning("keys can't be fetched", {{"url", without_query(url)}, {"problem", result.error().message}});
    }
    release(url);
  }

  void release(const std::string& url) {
    const auto found = entries_.find(url);
    if (found == entries_.end()) return;
    found->second.deadline.cancel();
    for (const auto& then : std::exchange(found->second.waiting, {})) then();
  }

  boost::asio::io_context& loop_;
  const Fetch fetch_;
  ops::Log log_;
  std::atomic<bool> cancel_{false};
  std::map<std::string, Entry> entries_;
  boost::asio::thread_pool threads_;
};

JwksCache::JwksCache(boost::asio::io_context& loop, Fetch fetch, const ops::Log& log)
    : impl_(std::make_shared<Impl>(loop, std::move(fetch), log)) {}

JwksCache::~JwksCache() {
  impl_->join();
}

JwksCache::Found JwksCache::find(const std::string& url, TimePoint now) {
  return impl_->find(url, now);
}

std::shared_ptr<const JwtKeys> JwksCache::at_hand(const std::string& url, TimePoint now) const {
  return impl_->at_hand(url, now);
}

bool JwksCache::renew(const std::string& url, TimePoint now) {
  return impl_->renew(url, now);
}

bool JwksCache::wait(const std::string& url, std::function<void()> then) {
  return impl_->wait(url, std::move(then));
}

void JwksCache::keep(const std::set<std::string>& urls) {
  impl_->keep(urls);
}

void JwksCache::stop() {
  impl_->stop();
}

}  // namespace rw::api
