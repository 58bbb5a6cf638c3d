#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "audio/decode.h"
#include "base/result.h"

namespace rw::audio {

/// The same audio at `rate` Hz.
Result<Samples> resample(Samples input, std::uint32_t rate);

/// The same for audio that comes in pieces: one channel, from -1 to 1.
class Resampler {
 public:
  static Result<Resampler> make(std::uint32_t from, std::uint32_t to);
  /// Appends to `out` what is ready; some of it comes with later pieces.
  void feed(std::span<const float> piece, std::vector<std::int16_t>& out);
  /// Appends the rest. Nothing may be fed after that.
  void finish(std::vector<std::int16_t>& out);

 private:
  using State = std::unique_ptr<void, void (*)(void*)>;
  Resampler(State state, double ratio) : state_(std::move(state)), ratio_(ratio) {}
  State state_;
  double ratio_;
};

}  // namespace rw::audio
