#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "rtp/codec.h"

namespace rw::media {

/// Audio in the form in which it goes into RTP packets: 20 ms frames, one after the other. Immutable.
class Payload {
 public:
  /// `frame_ends`: where each frame ends in `bytes`, for codecs without a fixed CodecFacts::frame_bytes.
  Payload(rtp::Codec codec, std::vector<std::uint8_t> bytes, std::vector<std::uint32_t> frame_ends = {});

  rtp::Codec codec() const { return codec_; }
  std::size_t frames() const { return frames_; }
  std::size_t memory() const;
  /// The payload of frame `index` (< frames()).
  std::span<const std::uint8_t> frame(std::size_t index) const;

 private:
  rtp::Codec codec_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint32_t> frame_ends_;  ///< only for codecs whose frames vary in size
  std::size_t frames_;
};

/// A piece of audio that may be played to any number of legs at once: linear samples, and beside them one payload form
/// per codec, made once, when first asked for. Thread-safe; encode() is slow and belongs to a background thread,
/// payload() is a load and belongs to the media workers.
class Sound {
 public:
  /// `samples`: mono, `rate` Hz (8000 or 16000). Ends padded with silence to whole 20 ms frames.
  Sound(std::vector<std::int16_t> samples, std::uint32_t rate);
  ~Sound();
  Sound(const Sound&) = delete;
  Sound& operator=(const Sound&) = delete;

  std::chrono::milliseconds duration() const;
  /// Makes the payload form for `codec` unless it is there. Does nothing for a codec that can't have this sample rate.
  void encode(rtp::Codec codec) const;
  /// The payload form, or null if encode() has not been done. Valid as long as the Sound.
  const Payload* payload(rtp::Codec codec) const;
  /// Bytes held, all forms together.
  std::size_t memory() const;

 private:
  std::vector<std::int16_t> samples_;
  std::uint32_t rate_;
  mutable std::mutex encoding_;
  mutable std::array<std::unique_ptr<const Payload>, rtp::codecs.size()> owned_;     ///< guarded by encoding_
  mutable std::array<std::atomic<const Payload*>, rtp::codecs.size()> published_{};  ///< the same, for the workers
};

using SoundPtr = std::shared_ptr<const Sound>;

}  // namespace rw::media
