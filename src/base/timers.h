#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/time.h"

namespace rw {

class Timers;

/// A pending timer; dropped with its owner. Empty when it has fired or was never set.
class Timer {
 public:
  Timer() = default;
  Timer(Timer&& other) noexcept : timers_(std::exchange(other.timers_, nullptr)), key_(std::move(other.key_)) {}
  Timer& operator=(Timer&& other) noexcept;
  ~Timer() { cancel(); }
  void cancel();

 private:
  friend class Timers;
  using Key = std::pair<TimePoint, std::uint64_t>;
  Timer(Timers* timers, Key key) : timers_(timers), key_(key) {}
  Timers* timers_ = nullptr;
  Key key_;
};

/// The timers of one thread, against the time that is handed in. Must outlive its Timers' handles.
class Timers {
 public:
  [[nodiscard]] Timer start(TimePoint due, std::function<void()> action);
  /// Runs what is due, in order. An action may start and cancel timers.
  void advance(TimePoint now);
  std::optional<TimePoint> next() const;
  std::size_t size() const { return pending_.size(); }

 private:
  friend class Timer;
  std::map<Timer::Key, std::function<void()>> pending_;
  std::uint64_t count_ = 0;
};

}  // namespace rw
