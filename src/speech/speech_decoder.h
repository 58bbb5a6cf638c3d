#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "audio/audio_reader.h"
#include "speech/pieces.h"

namespace rw::speech {

/// Audio without a header: one channel of samples at `rate` Hz.
struct RawAudio {
  enum class Coding : std::uint8_t { linear, a_law, mu_law };  ///< linear: 16 bits, little-endian
  Coding coding = Coding::linear;
  std::uint32_t rate = 0;
};

/// Decodes one answer of a speech engine as its bytes come, and hands the samples to `pieces`. What begins like a WAV,
/// MP3, Ogg or FLAC file is taken as such, whatever was asked for; all else as `raw`, if given.
class SpeechDecoder {
 public:
  SpeechDecoder(std::optional<RawAudio> raw, Pieces& pieces) : raw_(raw), pieces_(pieces) {}

  /// The error says why it can't be played.
  Result<void> feed(std::span<const char> bytes);
  /// The bytes are over. An error if there was no audio, or if it breaks off.
  Result<void> finish();

 private:
  Result<void> feed_raw(std::span<const char> bytes);
  Result<void> read_file();

  std::optional<RawAudio> raw_;
  Pieces& pieces_;
  std::string first_;  ///< bytes, until it is known what they are
  bool is_file_ = false, is_raw_ = false;
  audio::AudioReader file_;
  std::optional<char> half_;  ///< the first byte of a sample whose second has not come
  std::vector<std::int16_t> samples_;
};

}  // namespace rw::speech
