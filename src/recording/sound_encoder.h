#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "recording/format.h"

namespace rw::recording {

using Bytes = std::vector<std::uint8_t>;

/// Turns samples into the bytes of a file, from its first to its last. What it has given out makes a file that can be
/// repaired (repair.h) wherever it ends.
class SoundEncoder {
 public:
  virtual ~SoundEncoder() = default;
  /// Appends to `out` what the file begins with.
  virtual void begin(Bytes& out) = 0;
  /// `samples`: the channels in turn. Appends all that can be given out by now, and keeps the rest.
  virtual void add(std::span<const std::int16_t> samples, Bytes& out) = 0;
  /// Appends what is left.
  virtual void finish(Bytes& out) = 0;
  /// What the first bytes have to be replaced with at the end, if they can be; empty if they are right.
  virtual Bytes final_header() const { return {}; }
};

/// `rate`: 8000 or 16000 Hz. `channels`: 1 or 2; two stay apart, nothing of one is heard on the other.
///
/// WAV: 16-bit PCM. MP3: constant bit rate, 32 kbit/s for each channel, no frame depends on another. Ogg: Opus,
/// 24 kbit/s for each channel (16 at 8000 Hz), each channel a stream of its own (RFC 7845 5.1.1.2, family 1).
Result<std::unique_ptr<SoundEncoder>> make_sound_encoder(Format format, std::uint32_t rate, int channels);

}  // namespace rw::recording
