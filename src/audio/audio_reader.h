#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "audio/file_format.h"
#include "base/result.h"

namespace rw::audio {

inline constexpr std::chrono::minutes max_duration{60};

/// Reads an audio file whose bytes come piece by piece: WAV, MP3, Ogg (Opus, Vorbis, FLAC) or FLAC, whatever stands in
/// front of it. The one way in which audio is read: stored files, uploads, what comes from the web and from speech
/// engines are heard alike. Decodes one frame at a time, and only when read() asks for it, so that what a file costs is
/// what is taken of it.
///
///     reader.feed(bytes); while (auto n = reader.read(room)) ...; reader.end(); while (auto n = reader.read(room)) ...
class AudioReader {
 public:
  explicit AudioReader(std::chrono::milliseconds most = max_duration);
  ~AudioReader();
  AudioReader(const AudioReader&) = delete;
  AudioReader& operator=(const AudioReader&) = delete;

  /// They are kept until read() has used them: feed some, then read until it gives 0.
  void feed(std::span<const char> bytes) { bytes_.append(bytes); }
  /// No more bytes come.
  void end() { bytes_.end(); }
  /// Puts the next samples into `room`: one channel, from -1 to 1, at rate(). How many; 0: more bytes are needed, or,
  /// after end(), all has been read. The error says why it can't be played, or what is missing at the end; nothing
  /// comes after it.
  Result<std::size_t> read(std::span<float> room);
  /// Hz, of what read() gave last; it may change within a file, never within one piece. 0 while it isn't known.
  std::uint32_t rate() const { return rate_; }
  /// "audio/wav", "audio/mpeg", "audio/ogg", "audio/flac"; empty while it isn't known.
  const std::string& content_type() const { return content_type_; }
  /// Looks what kind of file it is, as far as its bytes tell by now; decodes nothing.
  Result<void> recognise();
  /// Of what has been decoded so far.
  std::chrono::milliseconds duration() const {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds_ * 1000));
  }
  /// After the end: the last frame is there in part only. Some encoders and editors leave it so; one that sends has
  /// failed.
  bool ends_within_a_frame() const { return format_ && format_->ends_within_a_frame(); }

 private:
  enum class Found : std::uint8_t { nothing, something, undecided };
  Found look(std::string_view bytes);
  Result<bool> decode();
  Result<bool> finish() const;

  const double most_seconds_;
  ByteQueue bytes_;
  std::unique_ptr<FileFormat> format_;
  std::string content_type_;
  std::uint64_t passed_ = 0;  ///< bytes that are none of the file's, in front of it
  bool expected_ = true;      ///< here a file may begin: nothing but tags has come before
  Decoded decoded_;
  std::size_t taken_ = 0;  ///< of decoded_.mono
  double seconds_ = 0;     ///< decoded so far
  std::uint64_t values_ = 0;
  std::uint32_t rate_ = 0;
};

}  // namespace rw::audio
