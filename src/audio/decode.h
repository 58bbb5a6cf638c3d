#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
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

/// Takes the next piece of a file: one channel, from -1 to 1. False: no more of it is wanted.
using TakePiece = std::function<bool(std::span<const float> piece, std::uint32_t rate)>;
/// Decodes a file piece by piece, so that it may be heard before its end. The error says why it can't be played, or
/// what is missing at its end.
Result<void> decode_in_pieces(const std::string& path, const TakePiece& take,
                              std::chrono::milliseconds most = max_duration);
/// Decodes a file to its end without keeping anything. A file that was cut off is refused, as far as its format tells.
Result<AudioFacts> probe(const std::string& path);
/// The content type of a file by its beginning, for files too long to be decoded without need; it may hold no sound.
Result<std::string> recognise(const std::string& path);

}  // namespace rw::audio
