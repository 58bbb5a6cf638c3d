#include "api/idempotency_cache.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/answers.h"

namespace rw::api {

struct IdempotencyCache::Owner {
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries;
  std::deque<std::pair<TimePoint, std::string>> order;  ///< when each key came
  std::size_t bytes = 0;
};

struct IdempotencyCache::Entry {
  std::optional<http::Answer> answer;
  std::vector<http::Responder> waiting;  ///< for the answer, the first request's among them
  std::weak_ptr<Owner> owner;            ///< of whom it is, until it is forgotten
  std::size_t bytes = 0;
};

struct IdempotencyCache::State {
  void forget_old(Owner& owner, TimePoint now) const {
    while (!owner.order.empty() && owner.order.front().first + life <= now) {
      const auto found = owner.entries.find(owner.order.front().second);
      owner.bytes -= found->second->bytes;
      found->second->owner.reset();
      owner.entries.erase(found);
      owner.order.pop_front();
    }
  }

  /// Nobody comes back for the keys of an owner who asks no more.
  void sweep(TimePoint now) {
    if (now < next_sweep) return;
    next_sweep = now + life;
    std::erase_if(owners, [&](const auto& one) {
      forget_old(*one.second, now);
      return one.second->order.empty();
    });
  }

  Duration life{};
  std::function<void()> refused;
  std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<Owner>> owners;
  TimePoint next_sweep{};
};

IdempotencyCache::IdempotencyCache(Duration life, std::function<void()> refused) : state_(std::make_shared<State>()) {
  state_->life = life;
  state_->refused = std::move(refused);
}

namespace {

/// Seconds until the oldest key is forgotten.
int seconds_until(TimePoint then, TimePoint now) {
  return static_cast<int>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(then - now).count()));
}

}  // namespace

std::optional<http::Responder> IdempotencyCache::admit(const std::string& owner_name, const std::string& key,
                                                       std::size_t most, const http::Responder& respond,
                                                       TimePoint now) {
  std::optional<http::Answer> known;
  {
    const std::lock_guard lock(state_->mutex);
    state_->sweep(now);
    auto& owner = state_->owners[owner_name];
    if (!owner) owner = std::make_shared<Owner>();
    state_->forget_old(*owner, now);
    const auto found = owner->entries.find(key);
    if (found != owner->entries.end() && !found->second->answer) {
      found->second->waiting.push_back(respond);
      return std::nullopt;
    }
    if (found != owner->entries.end()) {
      known = found->second->answer;
    } else if (!owner->entries.empty() && (owner->entries.size() >= most || owner->bytes >= most_bytes)) {
      known = failure(429, "rateLimited", "Idempotency-Key: the domain has as many keys as are remembered for it",
                      seconds_until(owner->order.front().first + state_->life, now));
      if (state_->refused) state_->refused();
    } else {
      auto entry = std::make_shared<Entry>();
      entry->waiting.push_back(respond);
      entry->owner = owner;
      entry->bytes = sizeof(Entry) + 2 * key.size();
      owner->bytes += entry->bytes;
      owner->entries.emplace(key, entry);
      owner->order.emplace_back(now, key);
      return http::Responder([state = state_, entry](std::optional<http::Answer> answer) {
        if (!answer) answer = failure(500, "nobody answered the request");
        std::vector<http::Responder> waiting;
        {
          const std::lock_guard state_lock(state->mutex);
          entry->answer = answer;
          if (const auto of = entry->owner.lock()) {
            entry->bytes += answer->body.size();
            of->bytes += answer->body.size();
          }
          waiting.swap(entry->waiting);
        }
        for (const auto& one : waiting) one(*answer);
      });
    }
  }
  respond(std::move(*known));
  return std::nullopt;
}

}  // namespace rw::api
