#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rw::recording {

/// The stretch of one channel that is still open: sound is written where it belongs, silence is where none was, and
/// what can no longer change is taken off the front. Positions are in samples since the start of the recording.
class SoundLine {
 public:
  /// `most`: samples; nothing is kept that lies further than that beyond the front.
  explicit SoundLine(std::size_t most) : most_(most) {}

  /// Replaces what is there. What lies before the front is too late and is left out.
  void write(std::int64_t position, std::span<const std::int16_t> samples);
  /// The next `count` samples. Valid until the next call of anything.
  std::span<const std::int16_t> front(std::size_t count);
  void drop(std::size_t count);
  std::int64_t begins_at() const { return begin_; }

 private:
  const std::size_t most_;
  std::int64_t begin_ = 0;
  std::vector<std::int16_t> samples_;
};

}  // namespace rw::recording
