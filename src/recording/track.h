#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/time.h"
#include "media/codec.h"
#include "media/recording_tap.h"
#include "recording/reorder_buffer.h"
#include "recording/sound_line.h"
#include "recording/stream_clock.h"
#include "recording/upsampler.h"

namespace rw::recording {

/// One channel of a recording: packets in, samples on the time line out. Lost packets are concealed for up to 60 ms;
/// whatever else is missing is silence. Does no I/O and reads no clock.
class Track {
 public:
  /// `rate`: of the file, 8000 or 16000 Hz. `start`: position 0.
  Track(std::uint32_t rate, TimePoint start);

  void put(const media::RecordedPacket& packet);
  /// Gives up on packets that have been waited for long enough by `now`.
  void settle(TimePoint now);
  /// Waits for nothing any more.
  void settle_all() { settle(TimePoint::max()); }

  /// What can be taken from: silence wherever nothing was put.
  SoundLine& line() { return line_; }
  /// Whether any packet came.
  bool heard() const { return heard_; }
  std::int64_t position_of(TimePoint time) const;

 private:
  void render(const ReorderBuffer::Next& next);
  media::Decoder& decoder_for(rtp::Codec codec);
  std::span<const std::int16_t> decode(const media::RecordedPacket& packet);
  void conceal(std::size_t samples);
  std::size_t fade(std::span<std::int16_t> out, std::size_t done) const;
  std::span<const std::int16_t> fitted(std::span<const std::int16_t> samples, std::int64_t gap);
  std::span<const std::int16_t> at_rate(std::span<const std::int16_t> decoded);
  void remember(std::span<const std::int16_t> samples, std::int64_t gap);

  const std::uint32_t rate_;
  const TimePoint start_;
  bool heard_ = false;
  ReorderBuffer order_;
  StreamClock clock_;
  SoundLine line_;
  std::array<std::unique_ptr<media::Decoder>, rtp::codecs.size()> decoders_;
  media::Decoder* decoder_ = nullptr;  ///< the one in use
  rtp::Codec codec_ = rtp::Codec::pcma;
  std::uint32_t decoder_rate_ = 8000;
  Upsampler upsampler_;
  std::int64_t end_ = 0;            ///< position behind what was written last
  std::int64_t silent_ = 0;         ///< samples before it that are silence
  std::vector<std::int16_t> last_;  ///< the 20 ms before it
  std::vector<std::int16_t> decoded_, raised_, fitted_, filler_;
};

}  // namespace rw::recording
