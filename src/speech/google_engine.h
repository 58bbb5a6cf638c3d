#pragma once

#include <boost/json/object.hpp>
#include <memory>

#include "speech/fetch_speech.h"
#include "speech/google_token.h"
#include "speech/speech_engine.h"
#include "speech/speech_settings.h"

namespace rw::speech {

/// Google's `POST /v1/text:synthesize`, with tokens that all engines share. Its answer is JSON with the audio in it, so
/// that nothing is heard before it is whole.
std::unique_ptr<SpeechEngine> make_google_engine(GoogleSettings settings, std::shared_ptr<GoogleTokens> tokens,
                                                 FetchOptions options);

/// The body that is sent for the phrase: as it is, and LINEAR16 at 8000 Hz if it asks for no encoding. An error if it
/// is no object.
Result<boost::json::object> google_body(const audio::GoogleSpeech& spoken);

/// The audio of Google's answer, decoded into `pieces`; `asked` is google_body().
Result<void> decode_google_answer(const std::string& answer, const boost::json::object& asked, Pieces& pieces);

}  // namespace rw::speech
