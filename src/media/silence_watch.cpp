#include "media/silence_watch.h"

#include <cstdlib>

namespace rw::media {
namespace {

constexpr std::size_t most_samples = 1600;  // 200 ms
/// Mean of the absolute samples: some -44 dB below full scale, where a quiet room ends and speech begins.
constexpr std::int64_t quiet_level = 200;

}  // namespace

void SilenceWatch::put(rtp::Codec codec, std::span<const std::uint8_t> payload, TimePoint now) {
  auto& decoder = decoders_[static_cast<std::size_t>(codec)];
  if (!decoder) decoder = make_decoder(codec);
  if (!decoder) return;
  std::array<std::int16_t, most_samples> samples;
  const std::size_t count = decoder->decode(payload, samples);
  std::int64_t sum = 0;
  for (const std::int16_t sample : std::span(samples).first(count)) sum += std::abs(int{sample});
  if (count != 0 && sum / static_cast<std::int64_t>(count) >= quiet_level) last_voice_ = now;
}

}  // namespace rw::media
