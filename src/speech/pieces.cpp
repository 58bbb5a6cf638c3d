#include "speech/pieces.h"

#include <utility>

#include "audio/resample.h"

namespace rw::speech {
namespace {

/// A piece is at least a fifth of a second, unless a sentence is over.
constexpr std::uint32_t pieces_per_second = 5;

}  // namespace

Result<void> Pieces::add(std::span<const std::int16_t> samples, std::uint32_t rate) {
  if (!wanted_ || samples.empty()) return {};
  if (rate < audio::min_rate || rate > audio::max_rate)
    return fail("the speech has a sample rate of " + std::to_string(rate) + " Hz (expected 4000 to 96000)");
  if (gathered_.rate == 0) gathered_.rate = rate;
  const auto before = gathered_.samples.size();
  if (rate == gathered_.rate) {
    gathered_.samples.insert(gathered_.samples.end(), samples.begin(), samples.end());
  } else {
    auto changed = audio::resample({{samples.begin(), samples.end()}, rate}, gathered_.rate);
    if (!changed) return tl::unexpected(changed.error());
    gathered_.samples.insert(gathered_.samples.end(), changed->samples.begin(), changed->samples.end());
  }
  total_ += gathered_.samples.size() - before;
  const auto most = static_cast<std::uint64_t>(std::chrono::seconds(longest_speech).count()) * gathered_.rate;
  if (total_ > most) return fail("the speech is longer than 30 minutes");
  if (gathered_.samples.size() >= gathered_.rate / pieces_per_second) flush();
  return {};
}

void Pieces::flush() {
  if (!wanted_ || gathered_.samples.empty()) return;
  wanted_ = take_({std::exchange(gathered_.samples, {}), gathered_.rate});
}

Result<void> Pieces::finish() {
  flush();
  if (total_ == 0) return fail("the speech engine made no sound of the text");
  return {};
}

}  // namespace rw::speech
