#include "recording/upsampler.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rw::recording {
namespace {

constexpr int fraction_bits = 15;

}  // namespace

std::array<std::int16_t, Upsampler::taps> Upsampler::half_band() {
  std::array<double, taps> exact{};
  double sum = 0;
  for (std::size_t tap = 0; tap < taps; ++tap) {
    // Half-way between two samples: sin(pi t) / (pi t) at t = ±0.5, ±1.5, …, under a Blackman window.
    const double t = static_cast<double>(tap) - (static_cast<double>(taps) - 1) / 2;
    const double phase = std::numbers::pi * t / (static_cast<double>(taps) / 2);
    const double window = 0.42 + 0.5 * std::cos(phase) + 0.08 * std::cos(2 * phase);
    exact[tap] = std::sin(std::numbers::pi * t) / (std::numbers::pi * t) * window;
    sum += exact[tap];
  }
  std::array<std::int16_t, taps> rounded{};
  for (std::size_t tap = 0; tap < taps; ++tap)
    rounded[tap] = static_cast<std::int16_t>(std::lround(exact[tap] / sum * (1 << fraction_bits)));
  return rounded;
}

void Upsampler::run(std::span<const std::int16_t> in, std::span<std::int16_t> out) {
  static const std::array<std::int16_t, taps> filter = half_band();
  line_.resize(past_.size() + in.size());
  std::copy(past_.begin(), past_.end(), line_.begin());
  std::copy(in.begin(), in.end(), line_.begin() + static_cast<std::ptrdiff_t>(past_.size()));
  for (std::size_t at = 0; at < in.size(); ++at) {
    const std::int16_t* const window = line_.data() + at;
    std::int32_t sum = 1 << (fraction_bits - 1);
    for (std::size_t tap = 0; tap < taps; ++tap) sum += window[tap] * filter[tap];
    out[2 * at] = window[taps / 2 - 1];
    out[2 * at + 1] = static_cast<std::int16_t>(std::clamp(sum >> fraction_bits, -32768, 32767));
  }
  std::copy(line_.end() - static_cast<std::ptrdiff_t>(past_.size()), line_.end(), past_.begin());
}

}  // namespace rw::recording
