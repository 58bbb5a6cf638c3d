#pragma once

#include <memory>

#include "audio/file_format.h"

namespace rw::audio {

/// Ogg (RFC 3533): the first stream in it that is audio; files of several links, one behind the other, to the last one.
/// A stream needs no page that is marked as its last.
std::unique_ptr<FileFormat> make_ogg_format(ByteQueue& bytes);

}  // namespace rw::audio
