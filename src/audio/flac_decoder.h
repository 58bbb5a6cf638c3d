#pragma once

#include <FLAC/stream_decoder.h>

#include <memory>
#include <string_view>

#include "audio/file_format.h"
#include "base/result.h"

namespace rw::audio {

/// What a FLAC stream says of itself in its STREAMINFO (RFC 9639 8.2).
struct FlacFacts {
  static constexpr std::size_t bytes = 34;

  std::size_t most_frame_bytes = 0;  ///< 0: not known
  std::uint32_t rate = 0;            ///< Hz
  std::uint32_t channels = 0;
  std::uint64_t samples = 0;  ///< of each channel; 0: not known

  static FlacFacts read(std::string_view streaminfo);
};

/// Decodes frames of FLAC that lie in memory, through libFLAC.
class FlacDecoder {
 public:
  /// `streaminfo`: FlacFacts::bytes.
  static Result<std::unique_ptr<FlacDecoder>> make(std::string_view streaminfo);
  ~FlacDecoder();
  FlacDecoder(const FlacDecoder&) = delete;
  FlacDecoder& operator=(const FlacDecoder&) = delete;

  /// Decodes the first frame in `bytes` that is whole. How many bytes are done with; 0: there is none.
  Result<std::size_t> next(std::string_view bytes, Decoded& out);

 private:
  FlacDecoder() = default;
  bool begin(std::string_view streaminfo);
  void write(const FLAC__Frame& frame, const FLAC__int32* const* channels);

  FLAC__StreamDecoder* decoder_ = nullptr;
  std::string_view window_;  ///< what libFLAC may read
  std::size_t at_ = 0;       ///< how much of it it has read
  Decoded* out_ = nullptr;
  Result<void> refused_;
};

}  // namespace rw::audio
