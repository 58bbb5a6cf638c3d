#pragma once

#include "audio/sound_loader.h"
#include "base/result.h"

namespace rw::speech {

/// What a text engine says in place of Polly: Text, TextType and LanguageCode of the request. The error names the
/// member that is wrong.
Result<audio::SpokenText> spoken_form(const audio::PollySpeech& spoken);
/// The same for Google: input.text or input.ssml, and voice.languageCode.
Result<audio::SpokenText> spoken_form(const audio::GoogleSpeech& spoken);

}  // namespace rw::speech
