#pragma once

#include <string_view>

#include "speech/pieces.h"
#include "speech/speech_engine.h"

namespace rw::speech {

/// An engine that is given a text sentence by sentence, so that the first is heard while the next is made.
class TextEngine : public SpeechEngine {
 public:
  Result<void> speak(const audio::SpeechRequest& request, const Take& take) final;

 protected:
  /// One sentence of `spoken`, into `pieces`.
  virtual Result<void> say(std::string_view sentence, const audio::SpokenText& spoken, Pieces& pieces) = 0;
};

}  // namespace rw::speech
