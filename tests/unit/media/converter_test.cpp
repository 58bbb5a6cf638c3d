#include "media/converter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace rw::media {
namespace {

/// How much of the energy of `samples` is at `frequency` (0 to 1).
double share_of(std::span<const std::int16_t> samples, double frequency, double rate) {
  double real = 0, imaginary = 0, energy = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double angle = 2 * std::numbers::pi * frequency * static_cast<double>(i) / rate;
    real += samples[i] * std::cos(angle);
    imaginary += samples[i] * std::sin(angle);
    energy += static_cast<double>(samples[i]) * samples[i];
  }
  return energy == 0 ? 0 : 2 * (real * real + imaginary * imaginary) / (energy * static_cast<double>(samples.size()));
}

/// A speaker of one codec: sine waves in packets.
class Speaker {
 public:
  Speaker(rtp::Codec codec, double frequency) : codec_(codec), frequency_(frequency), encoder_(make_encoder(codec)) {}
  std::vector<std::uint8_t> frame() {
    std::array<std::int16_t, frame_samples> samples;
    for (auto& sample : samples)
      sample = static_cast<std::int16_t>(6000 * std::sin(2 * std::numbers::pi * frequency_ * at_++ / 8000));
    std::vector<std::uint8_t> payload(max_frame_bytes);
    payload.resize(encoder_->encode(samples, payload));
    return payload;
  }
  void say(Converter& converter, std::size_t source = 0) { converter.put(source, codec_, 1, sequence_++, frame()); }
  void lose() {
    frame();
    ++sequence_;
  }

 private:
  rtp::Codec codec_;
  double frequency_;
  std::unique_ptr<Encoder> encoder_;
  double at_ = 0;
  std::uint16_t sequence_ = 65'500;
};

/// Decodes what a converter gives.
class Ear {
 public:
  explicit Ear(rtp::Codec codec) : decoder_(make_decoder(codec)) {}
  void hear(std::span<const std::uint8_t> payload) {
    std::array<std::int16_t, 960> samples;
    const std::size_t count = decoder_->decode(payload, samples);
    heard_.insert(heard_.end(), samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(count));
  }
  /// Without the beginning, in which codecs settle.
  double share(double frequency) const {
    return heard_.size() < 1600 ? 0 : share_of(std::span(heard_).subspan(800), frequency, 8000);
  }

 private:
  std::unique_ptr<Decoder> decoder_;
  std::vector<std::int16_t> heard_;
};

struct Pair {
  rtp::Codec from, to;
};
class ConverterTest : public testing::TestWithParam<Pair> {};

std::vector<Pair> pairs() {
  std::vector<Pair> all;
  for (const auto& from : rtp::codecs)
    for (const auto& to : rtp::codecs) all.push_back({from.codec, to.codec});
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, ConverterTest, testing::ValuesIn(pairs()), [](const auto& test) {
  return std::string(rtp::facts(test.param.from).name) + "To" + std::string(rtp::facts(test.param.to).name);
});

TEST_P(ConverterTest, AToneComesOutAsItWentIn) {
  Converter converter(GetParam().to, 1);
  Speaker speaker(GetParam().from, 1000);
  Ear ear(GetParam().to);
  for (int i = 0; i < 50; ++i) {
    speaker.say(converter);
    ear.hear(converter.next());
  }
  EXPECT_GT(ear.share(1000), 0.9);
}

TEST_P(ConverterTest, ALostPacketIsConcealed) {
  Converter converter(GetParam().to, 1);
  Speaker speaker(GetParam().from, 500);
  for (int i = 0; i < 50; ++i) {
    i == 20 ? speaker.lose() : speaker.say(converter);
    EXPECT_EQ(converter.next().empty(), i < 1) << i;
  }
}

TEST(Converter, HearsTwoSpeakersAtOnce) {
  Converter converter(rtp::Codec::pcma, 2);
  Speaker low(rtp::Codec::pcmu, 500), high(rtp::Codec::opus, 1500);
  Ear ear(rtp::Codec::pcma);
  for (int i = 0; i < 50; ++i) {
    low.say(converter, 0);
    high.say(converter, 1);
    ear.hear(converter.next());
  }
  EXPECT_GT(ear.share(500), 0.3);
  EXPECT_GT(ear.share(1500), 0.3);
}

TEST(Converter, PacketsOfAnyLengthBecomeFramesOfTwentyMilliseconds) {
  Converter converter(rtp::Codec::pcmu, 1);
  Speaker speaker(rtp::Codec::pcma, 1000);
  Ear ear(rtp::Codec::pcmu);
  std::vector<std::uint8_t> stream;
  std::uint16_t sequence = 0;
  int frames = 0;
  for (int i = 0; i < 60; ++i) {
    const auto more = speaker.frame();
    stream.insert(stream.end(), more.begin(), more.end());
    for (; stream.size() >= 240; stream.erase(stream.begin(), stream.begin() + 240))  // 30 ms
      converter.put(0, rtp::Codec::pcma, 1, sequence++, std::span(stream).first(240));
    const auto payload = converter.next();
    if (!payload.empty()) ++frames;
    ear.hear(payload);
  }
  EXPECT_GE(frames, 55);
  EXPECT_GT(ear.share(1000), 0.9);
}

TEST(Converter, PacketsOfUpTo200MillisecondsAreHeardWhole) {
  for (const std::size_t length : {60U, 80U, 100U, 120U, 200U}) {
    Converter converter(rtp::Codec::pcmu, 1);
    Speaker speaker(rtp::Codec::pcma, 1000);
    Ear ear(rtp::Codec::pcmu);
    std::vector<std::uint8_t> packet;
    std::uint16_t sequence = 0;
    int gaps = 0;
    bool begun = false;
    for (int i = 0; i < 200; ++i) {
      const auto more = speaker.frame();
      packet.insert(packet.end(), more.begin(), more.end());
      if (packet.size() == length * 8) {
        converter.put(0, rtp::Codec::pcma, 1, sequence++, packet);
        packet.clear();
      }
      const auto payload = converter.next();
      begun = begun || !payload.empty();
      if (begun && payload.empty()) ++gaps;
      if (begun) ear.hear(payload);
    }
    EXPECT_EQ(gaps, 0) << length;
    EXPECT_GT(ear.share(1000), 0.9) << length;
  }
}

TEST(Converter, ALostLongPacketIsAsLongAsOneThatCame) {
  Converter converter(rtp::Codec::pcmu, 1);
  const std::vector<std::uint8_t> packet(480, to_alaw(5000));
  int frames = 0;
  for (std::uint16_t i = 0; i < 20; ++i) {
    if (i != 10) converter.put(0, rtp::Codec::pcma, 1, i, packet);
    for (int part = 0; part < 3; ++part) frames += converter.next().empty() ? 0 : 1;
  }
  while (!converter.next().empty()) ++frames;
  EXPECT_EQ(frames, 60);
}

TEST(Converter, AnotherSourceIsHeardWhateverItsNumbers) {
  Converter converter(rtp::Codec::pcmu, 1);
  const std::vector<std::uint8_t> first(160, to_alaw(5000)), second(160, to_alaw(-5000));
  for (std::uint16_t i = 100; i < 120; ++i) {
    converter.put(0, rtp::Codec::pcma, 1, i, first);
    converter.next();
  }
  int heard = 0;
  for (std::uint16_t i = 60; i < 70; ++i) {  // as if they were late packets of the first
    converter.put(0, rtp::Codec::pcma, 2, i, second);
    const auto payload = converter.next();
    if (!payload.empty() && from_ulaw(payload[80]) < -4000) ++heard;
  }
  EXPECT_GE(heard, 8);
}

TEST(Converter, IsSilentWhenNothingComes) {
  Converter converter(rtp::Codec::gsm, 1);
  EXPECT_TRUE(converter.next().empty());
  Speaker speaker(rtp::Codec::pcma, 1000);
  for (int i = 0; i < 5; ++i) speaker.say(converter);
  int frames = 0;
  for (int i = 0; i < 20; ++i) frames += converter.next().empty() ? 0 : 1;
  EXPECT_EQ(frames, 5);
}

TEST(Converter, FollowsAChangeOfTheCodec) {
  Converter converter(rtp::Codec::g722, 1);
  Speaker first(rtp::Codec::pcma, 1000), second(rtp::Codec::opus, 1000);
  Ear ear(rtp::Codec::g722);
  for (int i = 0; i < 10; ++i) {
    first.say(converter);
    converter.next();
  }
  for (int i = 0; i < 50; ++i) {
    second.say(converter);
    ear.hear(converter.next());
  }
  EXPECT_GT(ear.share(1000), 0.9);
}

TEST(Converter, TakesAnyBytes) {
  for (const auto& from : rtp::codecs) {
    Converter converter(rtp::Codec::pcma, 1);
    std::vector<std::uint8_t> bytes;
    for (std::uint16_t length = 0; length < 600; ++length) {
      converter.put(0, from.codec, 1, length, bytes);
      static_cast<void>(converter.next());
      bytes.push_back(static_cast<std::uint8_t>(length * 37));
    }
  }
}

}  // namespace
}  // namespace rw::media
