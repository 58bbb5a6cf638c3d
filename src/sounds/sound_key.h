#pragma once

#include <string>

#include "audio/sound_loader.h"

namespace rw::sounds {

/// Two requests with the same key are for the same sound.
std::string key_of(const audio::SoundRequest& request);
/// What is there already is not to be used.
bool wants_refresh(const audio::SoundRequest& request);

}  // namespace rw::sounds
