#pragma once

#include <boost/json/object.hpp>
#include <memory>

#include "speech/fetch_speech.h"
#include "speech/speech_engine.h"
#include "speech/speech_settings.h"

namespace rw::speech {

/// Amazon Polly's SynthesizeSpeech, `POST /v1/speech`, signed with Signature V4. PCM and MP3 are heard as they come.
std::unique_ptr<SpeechEngine> make_polly_engine(PollySettings settings, FetchOptions options);

/// The body that is sent for the phrase: its members as they are, and PCM if it asks for no format. An error if it is
/// no object, has no text, or asks for speech marks.
Result<boost::json::object> polly_body(const audio::PollySpeech& spoken);
/// The region the phrase is synthesised in. An error if there is none, or if it is no region's name.
Result<std::string> polly_region(const PollySettings& settings, const audio::PollySpeech& spoken);

}  // namespace rw::speech
