// What the relay and the conversion make of a line that loses, doubles, reorders, delays and bunches packets.

#include "support/bad_line.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <vector>

#include "media/codec.h"
#include "media/converter.h"
#include "media/outgoing_stream.h"

namespace rw::media {
namespace {

class BadLineTest : public testing::TestWithParam<rw::test::NamedWeather> {};
INSTANTIATE_TEST_SUITE_P(Weather, BadLineTest, testing::ValuesIn(rw::test::weathers),
                         [](const auto& one) { return one.param.name; });

TEST_P(BadLineTest, APacketThatIsPassedOnKeepsItsPlace) {
  rw::test::BadLine<rtp::Packet> line(7, GetParam().weather);
  OutgoingStream stream(0xCAFE, 1000, 65'000);
  stream.set_frame_clock(160);
  std::optional<std::uint16_t> numbers_apart;
  std::optional<std::uint32_t> times_apart;
  std::size_t passed = 0;
  const std::array<std::uint8_t, 160> payload{};
  for (std::uint32_t i = 0; i < 1000; ++i) {
    rtp::Packet packet;
    packet.ssrc = 5;
    packet.sequence = static_cast<std::uint16_t>(65'100 + i);
    packet.timestamp = 0xFFFF'0000U + i * 160;
    packet.payload = payload;
    for (const rtp::Packet& one : line.step(packet)) {
      const auto ours = stream.passed_on(one);
      if (!ours) continue;  // it came before the first one
      ++passed;
      EXPECT_EQ(ours->ssrc, 0xCAFEU);
      const auto numbers = static_cast<std::uint16_t>(ours->sequence - one.sequence);
      const std::uint32_t times = ours->timestamp - one.timestamp;
      EXPECT_EQ(numbers, numbers_apart.value_or(numbers));
      EXPECT_EQ(times, times_apart.value_or(times));
      numbers_apart = numbers;
      times_apart = times;
    }
    stream.advance();
  }
  EXPECT_GT(passed + 30, 1000 - line.lost());
}

class ConverterOnABadLine : public testing::TestWithParam<std::tuple<rw::test::NamedWeather, rtp::Codec>> {};
INSTANTIATE_TEST_SUITE_P(Weather, ConverterOnABadLine,
                         testing::Combine(testing::ValuesIn(rw::test::weathers),
                                          testing::Values(rtp::Codec::pcmu, rtp::Codec::gsm, rtp::Codec::opus)),
                         [](const auto& one) {
                           return std::string(std::get<0>(one.param).name) + "_" +
                                  std::string(rtp::facts(std::get<1>(one.param)).name);
                         });

/// How much of the energy of a frame is at 500 Hz, 0 to 1.
double tone_share(std::span<const std::int16_t> samples) {
  double real = 0, imaginary = 0, energy = 1;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double angle = 2 * std::numbers::pi * 500 * static_cast<double>(i) / 8000;
    real += samples[i] * std::cos(angle);
    imaginary += samples[i] * std::sin(angle);
    energy += static_cast<double>(samples[i]) * samples[i];
  }
  return 2 * (real * real + imaginary * imaginary) / (energy * static_cast<double>(samples.size()));
}

TEST_P(ConverterOnABadLine, AToneIsHeardInNearlyAllFrames) {
  const auto& [weather, to] = GetParam();
  rw::test::BadLine<std::uint16_t> line(3, weather.weather);
  std::map<std::uint16_t, std::vector<std::uint8_t>> frames;
  const auto encoder = make_encoder(rtp::Codec::pcma);
  for (std::uint16_t number = 0; number < 500; ++number) {
    std::array<std::int16_t, frame_samples> samples{};
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i] = static_cast<std::int16_t>(
          6000 * std::sin(2 * std::numbers::pi * 500 * static_cast<double>(number * frame_samples + i) / 8000));
    frames[number].resize(frame_samples);
    encoder->encode(samples, frames[number]);
  }
  Converter converter(to, 1);
  const auto decoder = make_decoder(to);
  int heard = 0, silent = 0, longest_silence = 0;
  for (std::uint16_t number = 0; number < 500; ++number) {
    for (const std::uint16_t arrived : line.step(number))
      converter.put(0, rtp::Codec::pcma, 1, arrived, frames[arrived]);
    std::array<std::int16_t, 960> samples{};
    const std::size_t count = decoder->decode(converter.next(), samples);
    const bool has_tone = count == frame_samples && tone_share(std::span(samples).first(count)) > 0.5;
    heard += has_tone ? 1 : 0;
    silent = has_tone ? 0 : silent + 1;
    if (number > 10) longest_silence = std::max(longest_silence, silent);
  }
  EXPECT_GT(heard, 400);
  EXPECT_LT(longest_silence, 25) << "no gap of 500 ms";
}

}  // namespace
}  // namespace rw::media
