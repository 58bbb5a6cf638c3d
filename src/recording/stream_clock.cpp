#include "recording/stream_clock.h"

#include <algorithm>
#include <cmath>

namespace rw::recording {
namespace {

/// Beyond this a timestamp says nothing about when it was.
constexpr double jump_s = 1.0;
/// After such a pause the two clocks may have come apart by more than is nice to catch up with sample by sample.
constexpr double pause_s = 2.0;
constexpr double tolerated_after_pause_s = 0.1;
constexpr double window_s = 2.0;
/// Nobody hears a pitch that is off by so much. Clocks differ by up to 500 millionths.
constexpr double moved_rate = 0.001;
constexpr double most_at_once = 1;
/// So much of it is left; a shorter one belongs to the words.
constexpr double least_silence_s = 0.1;

}  // namespace

StreamClock::Place StreamClock::place(const Stamp& stamp, std::int64_t arrival, const Before& before) {
  const auto [ssrc, rtp_clock, timestamp] = stamp;
  if (started_ && ssrc == ssrc_ && rtp_clock == rtp_clock_) {
    const auto step = static_cast<std::int32_t>(timestamp - static_cast<std::uint32_t>(last_));
    const std::int64_t now = last_ + step;
    const std::int64_t passed = step * rate_ / rtp_clock_;
    if (fits(raw(now) + offset_, arrival, passed)) {
      last_ = now;
      observe(arrival - raw(now), arrival);
      follow(passed);
      move_in_silence(raw(now) + offset_, before);
      return {raw(now) + offset_, false};
    }
  }
  started_ = true;
  ssrc_ = ssrc;
  rtp_clock_ = rtp_clock;
  first_ = last_ = timestamp;
  offset_ = wanted_ = arrival;
  window_began_ = arrival;
  shortest_ = std::numeric_limits<std::int64_t>::max();
  allowance_ = 0;
  return {arrival, true};
}

bool StreamClock::fits(std::int64_t position, std::int64_t arrival, std::int64_t pause) const {
  const std::int64_t delay = arrival - position;
  if (pause > seconds(pause_s)) return delay >= 0 && delay <= seconds(tolerated_after_pause_s);
  return std::abs(delay) <= seconds(jump_s);
}

void StreamClock::observe(std::int64_t delay, std::int64_t arrival) {
  shortest_ = std::min(shortest_, delay);
  if (arrival - window_began_ < seconds(window_s)) return;
  wanted_ = shortest_;
  window_began_ = arrival;
  shortest_ = std::numeric_limits<std::int64_t>::max();
}

void StreamClock::follow(std::int64_t passed) {
  const std::int64_t missing = wanted_ - offset_;
  if (missing == 0 || passed <= 0) return;
  allowance_ = std::min(allowance_ + static_cast<double>(passed) * moved_rate, most_at_once);
  const auto most = static_cast<std::int64_t>(allowance_);
  const std::int64_t step = std::clamp(missing, -most, most);
  offset_ += step;
  allowance_ -= static_cast<double>(std::abs(step));
}

/// What is missing is put into the silence in front of the packet, or taken from it. Where the sender has paused, that
/// is longer than what was written.
void StreamClock::move_in_silence(std::int64_t position, const Before& before) {
  const std::int64_t missing = wanted_ - offset_;
  const std::int64_t room = before.silent + std::max<std::int64_t>(position - before.end, 0);
  const std::int64_t movable = room - seconds(least_silence_s);
  if (before.lost || movable <= 0) return;
  offset_ += std::max(missing, -movable);
}

}  // namespace rw::recording
