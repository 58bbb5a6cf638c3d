#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "speech/speech_engine.h"

namespace rw::speech {

struct EspeakOptions {
  std::string program = "espeak-ng";
  std::chrono::milliseconds timeout{30'000};  ///< for a whole text
  const std::atomic<bool>* cancel = nullptr;
};

/// espeak-ng, a child process for each text: it starts in a few milliseconds and writes the first sound long before it
/// is done with a long text. SSML is reduced to its text: espeak-ng would open the files that an <audio> element names.
std::unique_ptr<SpeechEngine> make_espeak_engine(EspeakOptions options);

/// What espeak-ng calls the language of a BCP 47 tag ("nb-NO": "nb"; empty: "en"). The error says that it is no tag.
Result<std::string> espeak_voice_of(const std::string& language);

}  // namespace rw::speech
