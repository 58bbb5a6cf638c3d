#pragma once

#include "audio/decode.h"
#include "base/result.h"

namespace rw::audio {

/// The same audio at `rate` Hz.
Result<Samples> resample(Samples input, std::uint32_t rate);

}  // namespace rw::audio
