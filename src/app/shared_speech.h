#pragma once

#include <memory>

#include "app/config.h"
#include "speech/speech_cache.h"

namespace rw::app {

/// What was synthesised, in the bucket of the prompt storage: `<prefix>.speech/<key>`, for all nodes of a cluster. Null
/// if prompts are not kept in a bucket.
std::shared_ptr<speech::SharedSpeechStore> make_shared_speech(const Config& config);

}  // namespace rw::app
