#pragma once

#include <cstdint>
#include <span>

#include "base/time.h"
#include "rtp/codec.h"

namespace rw::media {

/// One packet of one side of what is recorded.
struct RecordedPacket {
  std::uint8_t channel = 0;  ///< 0: left, 1: right
  rtp::Codec codec = rtp::Codec::pcma;
  std::uint32_t rtp_clock = 8000;  ///< Hz, of `timestamp`
  std::uint32_t ssrc = 0;
  std::uint32_t timestamp = 0;
  std::uint16_t sequence = 0;
  TimePoint at;  ///< when it came, or was sent
  std::span<const std::uint8_t> payload;
};

/// Where a media worker puts what a leg hears or is played.
class RecordingTap {
 public:
  virtual ~RecordingTap() = default;
  /// On a media worker's thread, and for each channel on one at a time: must not block and not allocate.
  virtual void put(const RecordedPacket& packet) = 0;
};

}  // namespace rw::media
