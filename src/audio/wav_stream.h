#pragma once

#include <memory>

#include "audio/stream_decoder.h"

namespace rw::audio {

/// WAV with PCM (8 to 32 bits), floats, A-law or µ-law; other forms of it (GSM) when they are whole.
std::unique_ptr<StreamDecoder::Kind> make_wav_stream();

}  // namespace rw::audio
