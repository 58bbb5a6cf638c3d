#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "audio/file_format.h"
#include "base/result.h"

namespace rw::audio {

/// What the format chunk of a WAV file says.
struct WavFacts {
  std::uint32_t tag = 0, channels = 0, rate = 0, block = 0, bits = 0;

  /// `chunk`: its content, or the beginning of it.
  static Result<WavFacts> read(std::string_view chunk);
};

/// How the samples of a WAV file are written. They come in blocks of a fixed number of bytes.
class WavCoding {
 public:
  /// PCM (8 to 32 bits), floats (32 or 64), A-law, µ-law, GSM, IMA and Microsoft ADPCM.
  static Result<std::unique_ptr<WavCoding>> make(const WavFacts& facts);
  virtual ~WavCoding() = default;

  /// Bytes.
  std::size_t block() const { return block_; }
  /// Appends what one block holds, its channels mixed.
  virtual void decode(std::string_view block, Decoded& out) = 0;

 protected:
  explicit WavCoding(std::size_t block) : block_(block) {}

 private:
  const std::size_t block_;
};

}  // namespace rw::audio
