#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audio/byte_queue.h"
#include "base/result.h"

namespace rw::audio {

/// Bounds on what is decoded, whatever a header says.
inline constexpr std::uint32_t min_rate = 4000, max_rate = 96'000;
inline constexpr std::uint32_t max_channels = 8;

/// What one step has decoded.
struct Decoded {
  std::vector<float> mono;   ///< the mean of the channels
  std::uint32_t rate = 0;    ///< Hz
  std::uint64_t values = 0;  ///< samples of all channels that had to be decoded for it

  void begin(std::uint32_t of_rate) {
    mono.clear();
    rate = of_rate;
    values = 0;
  }
};

/// One kind of audio file, decoded step by step from a queue of its bytes, whose end may be still to come. A step
/// decodes one frame or packet, so that memory and time are bounded, however much a few bytes stand for.
class FileFormat {
 public:
  virtual ~FileFormat() = default;

  enum class Step : std::uint8_t {
    moved,   ///< `out` has what was decoded, perhaps nothing
    starved  ///< more bytes are needed; if the queue has ended, this is the end
  };
  /// The error says why it can't be played.
  virtual Result<Step> step(Decoded& out) = 0;
  /// After the end: what is missing there, as far as the format tells; else empty.
  virtual std::string missing() const = 0;
  /// After the end: whether the last frame is there in part only, which some encoders and editors leave so.
  virtual bool ends_within_a_frame() const { return false; }
};

inline tl::unexpected<Error> cant_decode(const std::string& why) {
  return fail("not audio that can be decoded: " + why);
}
/// Within the bounds.
inline Result<void> check_sound(std::uint64_t rate, std::uint64_t channels) {
  if (rate < min_rate || rate > max_rate)
    return cant_decode("a sample rate of " + std::to_string(rate) + " Hz (expected 4000 to 96000)");
  if (channels < 1 || channels > max_channels)
    return cant_decode(std::to_string(channels) + " channels (expected 1 to 8)");
  return {};
}

}  // namespace rw::audio
