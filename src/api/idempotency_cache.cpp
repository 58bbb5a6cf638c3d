#include "api/idempotency_cache.h"

#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/answers.h"

namespace rw::api {

struct IdempotencyCache::Entry {
  std::optional<http::Answer> answer;
  std::vector<http::Responder> waiting;  ///< for the answer, the first request's among them
};

struct IdempotencyCache::State {
  void forget_old(TimePoint now) {
    while (!order.empty() && (order.front().first + life <= now || order.size() >= capacity)) {
      entries.erase(order.front().second);
      order.pop_front();
    }
  }

  std::size_t capacity = 0;
  Duration life{};
  std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries;
  std::deque<std::pair<TimePoint, std::string>> order;  ///< when each key came
};

IdempotencyCache::IdempotencyCache(std::size_t capacity, Duration life) : state_(std::make_shared<State>()) {
  state_->capacity = capacity;
  state_->life = life;
}

std::optional<http::Responder> IdempotencyCache::admit(const std::string& key, const http::Responder& respond,
                                                       TimePoint now) {
  std::optional<http::Answer> known;
  {
    const std::lock_guard lock(state_->mutex);
    state_->forget_old(now);
    auto& entry = state_->entries[key];
    if (!entry) {
      entry = std::make_shared<Entry>();
      entry->waiting.push_back(respond);
      state_->order.emplace_back(now, key);
      return http::Responder([state = state_, entry](std::optional<http::Answer> answer) {
        if (!answer) answer = failure(500, "nobody answered the request");
        std::vector<http::Responder> waiting;
        {
          const std::lock_guard state_lock(state->mutex);
          entry->answer = answer;
          waiting.swap(entry->waiting);
        }
        for (const auto& one : waiting) one(*answer);
      });
    }
    if (!entry->answer) {
      entry->waiting.push_back(respond);
      return std::nullopt;
    }
    known = entry->answer;
  }
  respond(std::move(*known));
  return std::nullopt;
}

}  // namespace rw::api
