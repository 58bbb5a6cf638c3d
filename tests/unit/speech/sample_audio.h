#pragma once

#include <sndfile.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "audio/wav_file.h"
#include "support/scratch_folder.h"

namespace rw::speech {

inline std::vector<std::int16_t> a_tone(std::size_t samples) {
  std::vector<std::int16_t> tone;
  for (std::size_t at = 0; at < samples; ++at)
    tone.push_back(static_cast<std::int16_t>(8000 * std::sin(static_cast<double>(at) * 0.3)));
  return tone;
}

inline std::string wav_of(std::size_t samples, std::uint32_t rate = 16'000) {
  return audio::wav_bytes({a_tone(samples), rate});
}

/// The samples as they are, little-endian.
inline std::string pcm_of(std::size_t samples) {
  const auto tone = a_tone(samples);
  std::string bytes(tone.size() * 2, '\0');
  std::memcpy(bytes.data(), tone.data(), bytes.size());
  return bytes;
}

/// A file of a libsndfile format.
inline std::string encoded(int format, std::size_t samples, int rate) {
  const testing_support::ScratchFolder folder;
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = 1;
  info.format = format;
  auto* file = sf_open(folder.file("a").c_str(), SFM_WRITE, &info);
  if (file == nullptr) return {};
  const auto tone = a_tone(samples);
  sf_writef_short(file, tone.data(), static_cast<sf_count_t>(tone.size()));
  sf_close(file);
  std::string bytes(std::filesystem::file_size(folder.file("a")), '\0');
  auto* read = std::fopen(folder.file("a").c_str(), "rb");
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), read));
  std::fclose(read);
  return bytes;
}

inline std::string ogg_of(std::size_t samples) {
  return encoded(SF_FORMAT_OGG | SF_FORMAT_OPUS, samples, 16'000);
}
inline std::string flac_of(std::size_t samples) {
  return encoded(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, samples, 16'000);
}
inline std::string mp3_of(std::size_t samples) {
  return encoded(SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, samples, 16'000);
}

}  // namespace rw::speech
