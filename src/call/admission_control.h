#pragma once

#include <cstddef>

#include "base/time.h"
#include "base/token_bucket.h"
#include "sip/user_agent.h"

namespace rw::call {

/// Decides, before any work is done, whether one more call may come in. One per shard.
class AdmissionControl {
 public:
  /// `per_second` calls a second, with bursts of as many; at most `max_calls` at once.
  AdmissionControl(std::size_t max_calls, double per_second) : max_calls_(max_calls), per_second_(per_second) {}

  /// Others from now on; calls that are there stay.
  void set_limits(std::size_t max_calls, double per_second) {
    max_calls_ = max_calls;
    per_second_ = per_second;
  }
  /// While draining, every new call is refused.
  void set_draining(bool draining) { draining_ = draining; }
  bool draining() const { return draining_; }

  /// `calls`: how many there are now.
  sip::Admission decide(std::size_t calls, TimePoint now);

 private:
  std::size_t max_calls_;
  double per_second_;
  TokenBucket rate_;
  bool draining_ = false;
};

}  // namespace rw::call
