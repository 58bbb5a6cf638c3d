#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/time.h"

namespace rw {

/// Lets through so many a second, in bursts of as many as come in a second (of one at least). Not thread-safe.
class TokenBucket {
 public:
  /// Nothing: one has been let through. Otherwise the seconds after which it makes sense to try again, 1 to 60. The
  /// rate, which is more than 0, may change from one call to the next.
  std::optional<int> take(double per_second, TimePoint now) {
    const auto seconds = wait(per_second, now);
    if (!seconds) tokens_ -= 1;
    return seconds;
  }

  /// The same without letting it through. `kept`: how many have to be left behind it.
  std::optional<int> wait(double per_second, TimePoint now, double kept = 0) {
    const double burst = std::max(per_second, 1.0);
    const double elapsed = filled_ ? std::chrono::duration<double>(now - *filled_).count() : 0;
    tokens_ = filled_ ? std::min(burst, tokens_ + std::max(elapsed, 0.0) * per_second) : burst;
    filled_ = now;
    if (tokens_ >= 1 + kept) return std::nullopt;
    return static_cast<int>(std::clamp(std::ceil((1 + kept - tokens_) / per_second), 1.0, 60.0));
  }

 private:
  double tokens_ = 0;
  std::optional<TimePoint> filled_;  ///< nothing: it has never been asked, and is full
};

}  // namespace rw
