#pragma once

#include <string>

#include "base/result.h"

namespace rw::audio {

/// Whether a RIFF/WAVE file is as long as its data chunk says. A writer that could not know the length (0, or near the
/// largest number) is believed, and one that has counted its header in. The error says how much is missing. Any other
/// file passes.
Result<void> check_wav_is_whole(const std::string& path);

}  // namespace rw::audio
