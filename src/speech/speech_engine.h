#pragma once

#include "audio/decode.h"
#include "audio/sound_loader.h"
#include "base/result.h"

namespace rw::speech {

/// Turns text into speech. Slow: for background threads. Each thread has its own.
class SpeechEngine {
 public:
  static constexpr std::size_t max_text = 10'000;

  virtual ~SpeechEngine() = default;
  /// Never empty: text that gives no sound is an error.
  virtual Result<audio::Samples> synthesise(const audio::SpokenText& text) = 0;
};

/// The text of an SSML document: tags dropped, entities decoded, breaks as full stops.
std::string text_of_ssml(std::string_view ssml);

}  // namespace rw::speech
