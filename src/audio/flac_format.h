#pragma once

#include <memory>

#include "audio/file_format.h"

namespace rw::audio {

/// FLAC (RFC 9639). A stream whose length was not known when it was begun is as good as any.
std::unique_ptr<FileFormat> make_flac_format(ByteQueue& bytes);

}  // namespace rw::audio
