#pragma once

#include <memory>

#include "speech/speech_engine.h"

namespace rw::speech {

/// The embedded engine: flite with one English voice. All engines of a process share flite's state, behind one lock.
std::unique_ptr<SpeechEngine> make_flite_engine();

}  // namespace rw::speech
