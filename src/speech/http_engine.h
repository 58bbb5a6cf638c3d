#pragma once

#include <memory>

#include "speech/fetch_speech.h"
#include "speech/speech_engine.h"
#include "speech/speech_settings.h"

namespace rw::speech {

/// An engine of the user's choice that understands the common `POST /v1/audio/speech` with {model, voice, input,
/// response_format, speed}. One request for each sentence; its answer is heard as it comes.
std::unique_ptr<SpeechEngine> make_http_engine(HttpSpeechSettings settings, FetchOptions options);

}  // namespace rw::speech
