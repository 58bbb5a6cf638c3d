#include "recording/sound_line.h"

#include <algorithm>

namespace rw::recording {

void SoundLine::write(std::int64_t position, std::span<const std::int16_t> samples) {
  if (position < begin_) {
    const auto late = static_cast<std::uint64_t>(begin_ - position);
    if (late >= samples.size()) return;
    samples = samples.subspan(late);
    position = begin_;
  }
  const auto at = static_cast<std::uint64_t>(position - begin_);
  if (at >= most_) return;
  samples = samples.first(std::min<std::size_t>(samples.size(), most_ - at));
  if (samples_.size() < at + samples.size()) samples_.resize(at + samples.size());
  std::copy(samples.begin(), samples.end(), samples_.begin() + static_cast<std::ptrdiff_t>(at));
}

std::span<const std::int16_t> SoundLine::front(std::size_t count) {
  if (samples_.size() < count) samples_.resize(count);
  return std::span(samples_).first(count);
}

void SoundLine::drop(std::size_t count) {
  begin_ += static_cast<std::int64_t>(count);
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(std::min(count, samples_.size())));
}

}  // namespace rw::recording
