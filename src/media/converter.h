#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "media/codec.h"
#include "rtp/jitter_buffer.h"

namespace rw::media {

/// Makes the audio of one or two streams into 20 ms frames of another codec: puts it back into order, decodes, mixes
/// and encodes it. Packets may be of any length up to 200 ms. Two wideband codecs meet at 16000 Hz, all others at 8000.
/// Not thread-safe.
class Converter {
 public:
  /// `sources`: 1 or 2.
  Converter(rtp::Codec to, std::size_t sources);

  rtp::Codec codec() const { return to_; }
  /// A packet of `source` (below the number of sources). A change of its codec starts the conversion anew; so does one
  /// of its SSRC, whose numbers have nothing to do with the former one's.
  void put(std::size_t source, rtp::Codec codec, std::uint32_t ssrc, std::uint16_t sequence,
           std::span<const std::uint8_t> payload);
  /// A packet of `source`'s stream that is no audio.
  void skip(std::size_t source, std::uint32_t ssrc, std::uint16_t sequence);
  /// The frame that is due, once per 20 ms; empty while nothing comes from any source. Valid until the next call.
  std::span<const std::uint8_t> next();

 private:
  static constexpr std::size_t most_samples = 16 * 200;  ///< of one packet: 200 ms at 16000 Hz
  static constexpr std::size_t most_frame = 16 * 20;
  struct Source {
    rtp::JitterBuffer buffer;
    std::optional<rtp::Codec> codec;
    std::uint32_t ssrc = 0;
    std::size_t packet = 0;  ///< samples of the last packet
    std::unique_ptr<Decoder> decoder;
    std::array<std::int16_t, most_samples + most_frame> samples{};  ///< decoded
    std::size_t count = 0;                                          ///< of them
    std::array<std::int16_t, most_frame> last{};                    ///< frame that was handed out
    int losses = 0;                                                 ///< frames that are missing, in a row
  };
  void start();
  bool fill(Source& source);
  void conceal(Source& source);

  const rtp::Codec to_;
  std::uint32_t rate_ = 8000;
  std::unique_ptr<Encoder> encoder_;
  std::array<std::unique_ptr<Source>, 2> sources_;
  std::array<std::uint8_t, max_frame_bytes> out_{};
};

}  // namespace rw::media
