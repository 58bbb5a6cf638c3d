#pragma once

#include <memory>

#include "audio/file_format.h"

namespace rw::audio {

/// WAV: all that WavCoding knows, and MPEG audio inside. What stands before the samples may have any length, and the
/// length of the samples may be one that a writer has left who did not know it.
std::unique_ptr<FileFormat> make_wav_format(ByteQueue& bytes);

}  // namespace rw::audio
