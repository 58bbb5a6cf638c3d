#include "rtp/jitter_buffer.h"

#include <algorithm>
#include <cstring>

namespace rw::rtp {
namespace {

constexpr std::size_t least_depth = 2, most_depth = 8;
constexpr std::uint32_t calm_frames = 500;  // 10 s

}  // namespace

std::size_t JitterBuffer::filled() const {
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.filled; }));
}

void JitterBuffer::put(std::uint16_t sequence, std::span<const std::uint8_t> payload) {
  if (payload.size() > max_frame || payload.empty()) return;
  if (!started_) {
    started_ = true;
    next_ = sequence;
  }
  const auto ahead = static_cast<std::int16_t>(sequence - next_);
  if (ahead < 0 && ahead > -100) {
    const bool taken = untaken_ && static_cast<std::int16_t>(sequence - *untaken_) < 0;
    if (!playing_ && !taken && -ahead < static_cast<int>(slots / 2)) {
      next_ = sequence;  // the first frames came in the wrong order
    } else {
      depth_ = std::min(depth_ + 1, most_depth);
      calm_ = 0;
      return;
    }
  } else if (ahead < 0 || ahead >= static_cast<int>(slots)) {
    // A jump: the other side has begun anew, or we have been cut off for long.
    for (auto& slot : slots_) slot.filled = false;
    next_ = sequence;
    untaken_.reset();
    playing_ = false;
  }
  Slot& slot = slots_[sequence % slots];
  if (slot.filled && slot.sequence == sequence) return;
  slot.filled = true;
  slot.sequence = sequence;
  slot.length = static_cast<std::uint16_t>(payload.size());
  std::memcpy(slot.bytes.data(), payload.data(), payload.size());
}

void JitterBuffer::skip(std::uint16_t sequence) {
  const auto ahead = static_cast<std::int16_t>(sequence - next_);
  if (started_ && !playing_ && filled() == 0 && ahead >= 0 && ahead < static_cast<int>(slots))
    next_ = static_cast<std::uint16_t>(sequence + 1);
}

JitterBuffer::Taken JitterBuffer::take() {
  if (!started_) return {};
  if (!playing_) {
    if (filled() < depth_) return {};
    playing_ = true;
  }
  Slot& slot = slots_[next_ % slots];
  if (slot.filled && slot.sequence == next_) {
    slot.filled = false;
    untaken_ = ++next_;
    if (++calm_ >= calm_frames) {
      depth_ = std::max(depth_ - 1, least_depth);
      calm_ = 0;
    }
    return {State::frame, std::span(slot.bytes.data(), slot.length)};
  }
  if (filled() == 0) {
    playing_ = false;  // a new talkspurt will be held back anew
    return {};
  }
  untaken_ = ++next_;
  return {State::lost, {}};
}

}  // namespace rw::rtp
