#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/time.h"

namespace rw::media {

/// The even ports on which RTP is taken; each stands for itself and the odd one above it. A port that was given back
/// rests before it is used again, so that packets on their way to the former call don't reach the next. All in constant
/// time. Not thread-safe.
class PortPool {
 public:
  /// The even ports whose pair lies within [first, last], in a random order drawn from `seed`.
  PortPool(std::uint16_t first, std::uint16_t last, Duration rest, std::uint64_t seed);

  /// A port that is free or has rested; nothing if there is none.
  std::optional<std::uint16_t> take(TimePoint now);
  /// Ends the use of a port that take() gave out: from now on it rests.
  void give_back(std::uint16_t port, TimePoint now);

  std::size_t size() const { return size_; }
  std::size_t in_use() const { return size_ - free_.size() - resting_.size(); }
  std::size_t resting(TimePoint now) const;

 private:
  struct Resting {
    std::uint16_t port;
    TimePoint until;
  };
  Duration rest_;
  std::deque<std::uint16_t> free_;
  std::deque<Resting> resting_;  ///< in the order of `until`
  std::size_t size_;
};

}  // namespace rw::media
