#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rw::recording {

enum class Format : std::uint8_t { wav, mp3, ogg };

/// The format that a file name's extension asks for, in any case: .wav, .mp3, .ogg; .mp3 if it has none. An error for
/// any other extension.
Result<Format> format_of(std::string_view file_name);

/// "wav", "mp3", "ogg"
std::string_view extension(Format format);

/// The name in prompt storage: with an extension, and ".enc" behind it if the file is encrypted.
std::string stored_name(std::string_view file_name, bool encrypted);

}  // namespace rw::recording
