#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace rw::audio {

/// Follows the frames of an audio file as its bytes pass, to tell at the end whether it breaks off: decoders play what
/// there is of an MP3, Ogg or FLAC file and say nothing. (A WAV file is checked by its decoder.)
class Completeness {
 public:
  void feed(std::span<const char> bytes);
  /// The bytes are over; `seconds` of audio were decoded. An error if the file is not whole.
  Result<void> finish(double seconds) const;

 private:
  enum class Kind : std::uint8_t { unknown, mp3, ogg, flac, other };

  void begin();
  void follow();
  /// Length of the frame or page that `header_` begins with, 0 if it isn't one; `enough`: the header is all there.
  std::uint64_t frame_length(bool& enough) const;

  Kind kind_ = Kind::unknown;
  std::string header_;      ///< the beginning of the next frame, as far as it is there
  std::uint64_t skip_ = 0;  ///< bytes of the frame under way that are still to come
  bool lost_ = false;       ///< what follows the frames is something else: a tag
  bool last_page_ = false;  ///< of an Ogg stream
};

}  // namespace rw::audio
