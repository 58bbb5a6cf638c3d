#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audio/decode.h"
#include "base/result.h"

namespace rw::speech {

/// One synthesised speech as it is kept: a header of fixed size, then the samples (16 bits, little-endian).
///
///     0   8  "RWSPEECH"
///     8   4  format version
///    12   4  sample rate, Hz
///    16   8  number of samples
///    24   8  when it expires, seconds since 1970
///    32  32  SHA-256 of the key, the bytes 8 to 31, and the samples
struct SpeechEntry {
  static constexpr std::size_t header_size = 64;
  static constexpr std::uint32_t version = 1;

  audio::Samples audio;
  std::int64_t expires = 0;
};

/// The entry as bytes. `key` is bound into the checksum, so that an entry can't be taken for another.
std::string pack(const SpeechEntry& entry, std::string_view key);
/// The error says what is broken.
Result<SpeechEntry> unpack(std::string_view bytes, std::string_view key);
/// When an entry expires whose header this is; nothing about the rest is checked.
Result<std::int64_t> expiry_of(std::string_view header);

}  // namespace rw::speech
