#pragma once

#include <string>

#include "audio/decode.h"
#include "base/result.h"

namespace rw::audio {

/// A WAV file (16-bit PCM, one channel) as bytes.
std::string wav_bytes(const Samples& samples);

}  // namespace rw::audio
