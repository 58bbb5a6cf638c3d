#pragma once

#include <chrono>

/// Time as the whole server sees it: a monotonic clock that the core is handed as a parameter and never reads itself.
namespace rw {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace rw
