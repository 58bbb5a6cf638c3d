#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "rtp/codec.h"

namespace rw::media {

/// Samples of one 20 ms frame at the 8000 Hz of the telephone codecs.
inline constexpr std::size_t frame_samples = 160;
/// Milliseconds of one frame.
inline constexpr int frame_ms = 20;

/// G.711 in both laws, one sample at a time.
std::uint8_t to_alaw(std::int16_t sample);
std::uint8_t to_ulaw(std::int16_t sample);
std::int16_t from_alaw(std::uint8_t code);
std::int16_t from_ulaw(std::uint8_t code);

/// One direction of a codec with its state. Not thread-safe; encode() and decode() do not allocate.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// `samples`: whole 20 ms frames at the codec's rate. `out` has to hold CodecFacts::frame_bytes for each. Returns the
  /// bytes written.
  virtual std::size_t encode(std::span<const std::int16_t> samples, std::span<std::uint8_t> out) = 0;
};
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// As much of `payload` (any bytes from the network) as is whole and fits into `out`. Returns the samples written.
  virtual std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) = 0;
};

/// Null for a codec that the media engine can't encode (yet): G722, opus.
std::unique_ptr<Encoder> make_encoder(rtp::Codec codec);
std::unique_ptr<Decoder> make_decoder(rtp::Codec codec);

/// The payload of 20 ms of silence.
std::span<const std::uint8_t> silence_frame(rtp::Codec codec);

}  // namespace rw::media
