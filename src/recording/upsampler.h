#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace rw::recording {

/// 8000 Hz to 16000 Hz, without allocating in steady state: every other sample is one of the input, those between come
/// from a half-band filter. Delays by 1.5 ms.
class Upsampler {
 public:
  /// `out`: twice as long as `in`.
  void run(std::span<const std::int16_t> in, std::span<std::int16_t> out);
  /// What comes next has nothing to do with what came before.
  void reset() { past_.fill(0); }

 private:
  static constexpr std::size_t taps = 24;
  static std::array<std::int16_t, taps> half_band();

  std::array<std::int16_t, taps - 1> past_{};
  std::vector<std::int16_t> line_;  ///< past_ and the input behind it
};

}  // namespace rw::recording
