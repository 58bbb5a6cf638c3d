#pragma once

#include <memory>

#include "audio/stream_decoder.h"

namespace rw::audio {

/// MPEG audio, through libmpg123.
std::unique_ptr<StreamDecoder::Kind> make_mp3_stream();

}  // namespace rw::audio
