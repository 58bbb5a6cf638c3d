#pragma once

#include "app/toml_reader.h"
#include "speech/speech_settings.h"

namespace rw::app {

/// `[tts]`, with its tables aws, google and http.
void read_tts(TomlReader& table, speech::SpeechSettings& speech);

}  // namespace rw::app
