#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio/audio_reader.h"
#include "base/result.h"

/// Audio files that are there as a whole.
namespace rw::audio {

/// Linear samples, one channel.
struct Samples {
  std::vector<std::int16_t> samples;
  std::uint32_t rate = 0;  ///< Hz
};

struct AudioFacts {
  std::string content_type;  ///< "audio/wav", "audio/mpeg", "audio/ogg", "audio/flac"
  std::chrono::milliseconds duration{0};
};

/// A sample from -1 to 1 as a linear one.
std::int16_t to_sample(float value);

/// Decodes a file bit by bit, as it is asked for.
class FileReader {
 public:
  explicit FileReader(const std::string& path, std::chrono::milliseconds most = max_duration);

  /// As AudioReader::read(), after 16 KB of the file at most: 0 may as well mean that these gave nothing. The error
  /// says also why the file can't be read.
  Result<std::size_t> read(std::span<float> room);
  /// All has been read.
  bool over() const { return over_; }
  /// Reads as far as is needed to tell the content type, and decodes nothing.
  Result<std::string> recognise();
  const AudioReader& reader() const { return reader_; }

 private:
  Result<void> feed();

  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  AudioReader reader_;
  bool begun_ = false, ended_ = false, over_ = false;
};

/// Decodes a file to its end without keeping anything. A file that was cut off is refused, as far as its format tells.
Result<AudioFacts> probe(const std::string& path);
/// The content type of a file by its beginning, for files too long to be decoded without need; it may hold no sound.
Result<std::string> recognise(const std::string& path);

}  // namespace rw::audio
