#pragma once

#include <sndfile.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

#include "media/codec.h"
#include "media/recording_tap.h"

/// What the tests of recordings have in common.
namespace rw::recording_test {

using Samples = std::vector<std::int16_t>;

inline Samples tone(double hz, std::uint32_t rate, double seconds, double level = 8000) {
  Samples samples(static_cast<std::size_t>(seconds * rate));
  for (std::size_t at = 0; at < samples.size(); ++at)
    samples[at] =
        static_cast<std::int16_t>(level * std::sin(2 * std::numbers::pi * hz * static_cast<double>(at) / rate));
  return samples;
}

inline double rms(const Samples& samples, std::size_t from, std::size_t count) {
  double sum = 0;
  for (std::size_t at = from; at < from + count; ++at) sum += static_cast<double>(samples.at(at)) * samples.at(at);
  return std::sqrt(sum / static_cast<double>(count));
}
inline double rms(const Samples& samples) {
  return rms(samples, 0, samples.size());
}

/// A file as libsndfile reads it, channel by channel. Empty if it can't.
struct SoundFile {
  std::uint32_t rate = 0;
  std::vector<Samples> channels;
};
inline SoundFile read_sound(const std::string& path) {
  SF_INFO info{};
  SNDFILE* const file = sf_open(path.c_str(), SFM_READ, &info);
  SoundFile sound;
  if (file == nullptr) return sound;
  sound.rate = static_cast<std::uint32_t>(info.samplerate);
  sound.channels.resize(static_cast<std::size_t>(info.channels));
  Samples frames(4096 * sound.channels.size());
  for (sf_count_t got = 1; got > 0;) {
    got = sf_readf_short(file, frames.data(), 4096);
    for (std::size_t at = 0; at < static_cast<std::size_t>(got) * sound.channels.size(); ++at)
      sound.channels[at % sound.channels.size()].push_back(frames[at]);
  }
  sf_close(file);
  return sound;
}

inline void write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}
inline std::vector<std::uint8_t> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A phone that sends one 20 ms packet after another, with a clock of its own.
class Phone {
 public:
  Phone(std::uint8_t channel, rtp::Codec codec, TimePoint start)
      : channel_(channel), codec_(codec), at_(start), encoder_(media::make_encoder(codec)) {}

  /// The next packet, with the next 20 ms of a tone.
  media::RecordedPacket next(double hz = 440, std::int16_t level = 8000) {
    Samples frame(media::frame_samples);
    for (auto& sample : frame) {
      const double phase = 2 * std::numbers::pi * hz * static_cast<double>(count_) / 8000;
      sample = level == 0 ? std::int16_t{0} : static_cast<std::int16_t>(level * std::sin(phase));
      ++count_;
    }
    payload_.resize(1500);
    payload_.resize(encoder_->encode(frame, payload_));
    media::RecordedPacket packet{channel_, codec_,  rtp::facts(codec_).rtp_clock, ssrc, timestamp_, sequence_,
                                 at_,      payload_};
    skip(1);
    return packet;
  }
  /// As if `packets` had been sent and lost.
  void skip(std::uint32_t packets) {
    sequence_ = static_cast<std::uint16_t>(sequence_ + packets);
    pause(packets * 20);
  }
  /// Sends nothing for that long.
  void pause(std::uint32_t ms) {
    timestamp_ += ms * (rtp::facts(codec_).rtp_clock / 1000);
    at_ += std::chrono::nanoseconds(static_cast<std::int64_t>(ms * 1e6 * (1 + ppm * 1e-6)));
  }
  /// What the next packet carries.
  TimePoint time() const { return at_; }

  std::uint32_t ssrc = 1;
  double ppm = 0;  ///< by which its clock is slow

 private:
  const std::uint8_t channel_;
  const rtp::Codec codec_;
  TimePoint at_;
  std::unique_ptr<media::Encoder> encoder_;
  std::uint64_t count_ = 0;
  std::uint32_t timestamp_ = 0xFFFFFF00;  // wraps soon
  std::uint16_t sequence_ = 65'530;
  std::vector<std::uint8_t> payload_;
};

}  // namespace rw::recording_test
