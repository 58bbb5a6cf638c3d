#pragma once

#include <memory>

#include "audio/file_format.h"

namespace rw::audio {

/// MPEG audio, through libmpg123: also files of one stream behind the other. Whatever stands between frames is passed
/// over.
std::unique_ptr<FileFormat> make_mp3_format(ByteQueue& bytes);

}  // namespace rw::audio
