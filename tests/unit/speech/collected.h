#pragma once

#include <cstdint>
#include <vector>

#include "speech/speech_engine.h"

namespace rw::speech {

/// What an engine handed over.
struct Collected {
  std::vector<audio::Samples> pieces;

  SpeechEngine::Take take() {
    return [this](audio::Samples piece) {
      pieces.push_back(std::move(piece));
      return true;
    };
  }
  std::size_t samples() const {
    std::size_t total = 0;
    for (const auto& piece : pieces) total += piece.samples.size();
    return total;
  }
  double seconds() const { return pieces.empty() ? 0 : static_cast<double>(samples()) / pieces.front().rate; }
};

}  // namespace rw::speech
