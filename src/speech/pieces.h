#pragma once

#include <cstdint>
#include <span>

#include "speech/speech_engine.h"

namespace rw::speech {

/// What an engine has made, on its way to whoever listens: gathered into pieces that are worth handing over, brought to
/// one rate, and bounded.
class Pieces {
 public:
  static constexpr std::chrono::minutes longest_speech{30};

  explicit Pieces(const SpeechEngine::Take& take) : take_(take) {}

  /// Ignored once no more is wanted. An error if the speech gets too long.
  Result<void> add(std::span<const std::int16_t> samples, std::uint32_t rate);
  /// Hands over what is there: at the end of a sentence.
  void flush();
  /// The end. An error if there was nothing.
  Result<void> finish();
  bool wanted() const { return wanted_; }
  bool any() const { return total_ > 0; }

 private:
  const SpeechEngine::Take& take_;
  audio::Samples gathered_;
  std::uint64_t total_ = 0;
  bool wanted_ = true;
};

}  // namespace rw::speech
