#pragma once

#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <string>
#include <vector>

#include "audio/decode.h"

namespace rw::audio::test {

inline constexpr double pi = 3.14159265358979;

inline Samples sine(double hertz, std::uint32_t rate, double seconds = 0.5) {
  Samples result;
  result.rate = rate;
  for (double at = 0; at < seconds * rate; ++at) {
    result.samples.push_back(static_cast<std::int16_t>(std::lround(8000 * std::sin(2 * pi * hertz * at / rate))));
  }
  return result;
}

/// How much of the signal is at `hertz`: 1 for a pure sine.
inline double share(const Samples& signal, double hertz) {
  double re = 0, im = 0, power = 0;
  for (std::size_t at = 0; at < signal.samples.size(); ++at) {
    const double value = signal.samples[at];
    const double angle = 2 * pi * hertz * static_cast<double>(at) / signal.rate;
    re += value * std::cos(angle);
    im += value * std::sin(angle);
    power += value * value;
  }
  return power == 0 ? 0 : 2 * (re * re + im * im) / (power * static_cast<double>(signal.samples.size()));
}

inline void write_file(const std::string& path, const Samples& signal, int format, int channels) {
  SF_INFO info{};
  info.samplerate = static_cast<int>(signal.rate);
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr) << sf_strerror(nullptr);
  // As floating point: libsndfile distorts stereo MP3 and scales float files otherwise when it is given integers.
  std::vector<float> frames;
  for (const auto sample : signal.samples)
    frames.insert(frames.end(), static_cast<std::size_t>(channels), static_cast<float>(sample) / 32768.0F);
  sf_writef_float(file, frames.data(), static_cast<sf_count_t>(signal.samples.size()));
  sf_close(file);
}

}  // namespace rw::audio::test
