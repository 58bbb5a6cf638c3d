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
  /// `samples`: whole 20 ms frames; one, if frames vary in size (CodecFacts::frame_bytes is 0). Returns the bytes
  /// written: as many frames as fit into `out`.
  virtual std::size_t encode(std::span<const std::int16_t> samples, std::span<std::uint8_t> out) = 0;
};
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// As much of `payload` (any bytes from the network) as is whole and fits into `out`. Returns the samples written.
  virtual std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) = 0;
  /// Fills `out`, 20 ms, in place of a lost packet, if the codec knows how. Returns the samples written.
  virtual std::size_t conceal(std::span<std::int16_t> /*out*/) { return 0; }
};

/// For audio at `rate` Hz. Null if the codec has no such rate: G722 and opus may have 8000 or 16000, the others have
/// 8000.
std::unique_ptr<Encoder> make_encoder(rtp::Codec codec, std::uint32_t rate = 8000);
std::unique_ptr<Decoder> make_decoder(rtp::Codec codec, std::uint32_t rate = 8000);

/// Whether the codec carries more than the telephone's 4 kHz.
constexpr bool is_wideband(rtp::Codec codec) {
  return codec == rtp::Codec::g722 || codec == rtp::Codec::opus;
}

constexpr bool is_g711(rtp::Codec codec) {
  return codec == rtp::Codec::pcma || codec == rtp::Codec::pcmu;
}

/// Whether both are laws of G.711, so that one becomes the other octet by octet.
constexpr bool are_both_g711(rtp::Codec a, rtp::Codec b) {
  return is_g711(a) && is_g711(b);
}
/// Writes the octets of `payload` in the other law. `out` is at least as long.
void alaw_to_ulaw(std::span<const std::uint8_t> payload, std::span<std::uint8_t> out);
void ulaw_to_alaw(std::span<const std::uint8_t> payload, std::span<std::uint8_t> out);

/// Longest payload of 20 ms, of any codec.
inline constexpr std::size_t max_frame_bytes = 320;

/// The payload of 20 ms of silence.
std::span<const std::uint8_t> silence_frame(rtp::Codec codec);

}  // namespace rw::media
