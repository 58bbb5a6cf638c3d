#include "base/timers.h"

namespace rw {

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    cancel();
    timers_ = std::exchange(other.timers_, nullptr);
    key_ = other.key_;
  }
  return *this;
}

void Timer::cancel() {
  // A timer that has fired is no longer in the map, and its key is never used again: erasing it again does nothing.
  if (auto* timers = std::exchange(timers_, nullptr)) timers->pending_.erase(key_);
}

Timer Timers::start(TimePoint due, std::function<void()> action) {
  const Timer::Key key{due, ++count_};
  pending_.emplace(key, std::move(action));
  return Timer(this, key);
}

void Timers::advance(TimePoint now) {
  while (!pending_.empty() && pending_.begin()->first.first <= now) {
    const auto action = std::move(pending_.extract(pending_.begin()).mapped());
    action();
  }
}

std::optional<TimePoint> Timers::next() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.begin()->first.first;
}

}  // namespace rw
