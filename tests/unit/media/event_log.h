#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "media/engine.h"
#include "peer.h"

namespace rw::media::test {

/// Collects the events of a leg, and waits for them.
class EventLog {
 public:
  EventSink sink() {
    return [state = state_](Event event) {
      const std::lock_guard lock(state->mutex);
      state->events.push_back(std::move(event));
      state->changed.notify_all();
    };
  }
  /// Waits for the next event that was not waited for yet, whatever it is.
  std::optional<Event> next(std::chrono::milliseconds wait = patience) {
    std::unique_lock lock(state_->mutex);
    if (!state_->changed.wait_for(lock, wait, [this] { return state_->events.size() > taken_; })) return std::nullopt;
    return state_->events[taken_++];
  }
  /// The next one, if it is a What.
  template <class What>
  std::optional<What> next_is(std::chrono::milliseconds wait = patience) {
    const std::optional<Event> event = next(wait);
    if (!event || !std::holds_alternative<What>(*event)) return std::nullopt;
    return std::get<What>(*event);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Event> events;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::size_t taken_ = 0;
};

}  // namespace rw::media::test
