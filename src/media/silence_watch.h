#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "base/time.h"
#include "media/codec.h"
#include "rtp/codec.h"

namespace rw::media {

/// Tells how long a stream has been silent: without a frame louder than the noise of a quiet line.
class SilenceWatch {
 public:
  SilenceWatch(std::chrono::milliseconds length, TimePoint now) : length_(length), last_voice_(now) {}
  void put(rtp::Codec codec, std::span<const std::uint8_t> payload, TimePoint now);
  bool is_over(TimePoint now) const { return now - last_voice_ >= length_; }

 private:
  const std::chrono::milliseconds length_;
  TimePoint last_voice_;
  std::array<std::unique_ptr<Decoder>, rtp::codecs.size()> decoders_;
};

}  // namespace rw::media
