#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace rw::audio {

/// Decodes an audio file whose bytes come piece by piece. WAV and MP3 are heard as they come; of other kinds, nothing
/// before the end. Bounded like audio/decode.h.
class StreamDecoder {
 public:
  StreamDecoder();
  ~StreamDecoder();
  StreamDecoder(StreamDecoder&&) noexcept;
  StreamDecoder& operator=(StreamDecoder&&) noexcept;

  /// Appends to `out` what can be heard now: one channel, from -1 to 1, at rate(). The error says why it can't be
  /// played; nothing may be fed after that.
  Result<void> feed(std::span<const char> bytes, std::vector<float>& out);
  /// The bytes are over. An error if there was no audio, or less than the file said.
  Result<void> finish(std::vector<float>& out);
  /// Hz; 0 while it isn't known.
  std::uint32_t rate() const;

  /// One kind of file.
  class Kind {
   public:
    virtual ~Kind() = default;
    virtual Result<void> feed(std::span<const char> bytes, std::vector<float>& out) = 0;
    virtual Result<void> finish(std::vector<float>& out) = 0;
    virtual std::uint32_t rate() const = 0;
  };

 private:
  Result<void> begin(std::vector<float>& out);

  std::string first_;  ///< bytes, until the kind is known
  std::unique_ptr<Kind> kind_;
  bool heard_ = false;  ///< there was audio
};

}  // namespace rw::audio
