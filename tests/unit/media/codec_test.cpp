#include "media/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace rw::media {
namespace {

TEST(G711, KnownCodes) {
  EXPECT_EQ(to_alaw(0), 0xD5);
  EXPECT_EQ(to_alaw(-1), 0x55);
  EXPECT_EQ(to_alaw(32767), 0xAA);
  EXPECT_EQ(to_alaw(-32768), 0x2A);
  EXPECT_EQ(to_ulaw(0), 0xFF);
  EXPECT_EQ(to_ulaw(32767), 0x80);
  EXPECT_EQ(to_ulaw(-32768), 0x00);
  EXPECT_EQ(from_alaw(0xD5), 8);
  EXPECT_EQ(from_ulaw(0xFF), 0);
  EXPECT_EQ(from_alaw(0xAA), 32256);
  EXPECT_EQ(from_ulaw(0x80), 32124);
}

TEST(G711, EveryCodeSurvivesDecodingAndEncoding) {
  for (int code = 0; code < 256; ++code) {
    const auto byte = static_cast<std::uint8_t>(code);
    EXPECT_EQ(to_alaw(from_alaw(byte)), byte);
    const std::uint8_t expected = byte == 0x7F ? 0xFF : byte;  // 0x7F is minus zero
    EXPECT_EQ(to_ulaw(from_ulaw(byte)), expected);
  }
}

TEST(G711, TheErrorStaysWithinTheStep) {
  for (int sample = -32100; sample <= 32100; sample += 3) {
    const auto value = static_cast<std::int16_t>(sample);
    const int allowed = std::max(16, std::abs(sample) / 24);
    EXPECT_NEAR(from_alaw(to_alaw(value)), sample, allowed);
    EXPECT_NEAR(from_ulaw(to_ulaw(value)), sample, allowed);
  }
}

class CodecTest : public testing::TestWithParam<rtp::Codec> {};
INSTANTIATE_TEST_SUITE_P(All, CodecTest, testing::Values(rtp::Codec::pcma, rtp::Codec::pcmu, rtp::Codec::gsm),
                         [](const auto& test) { return std::string(rtp::facts(test.param).name); });

TEST_P(CodecTest, ATonePassesThrough) {
  std::vector<std::int16_t> samples(1600);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<std::int16_t>(8000 * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / 8000));
  std::vector<std::uint8_t> payload(10U * rtp::facts(GetParam()).frame_bytes);
  ASSERT_EQ(make_encoder(GetParam())->encode(samples, payload), payload.size());
  std::vector<std::int16_t> heard(1600);
  ASSERT_EQ(make_decoder(GetParam())->decode(payload, heard), heard.size());
  double product = 0, energy = 0, heard_energy = 0;
  for (std::size_t i = 320; i < samples.size(); ++i) {
    product += static_cast<double>(samples[i]) * heard[i];
    energy += static_cast<double>(samples[i]) * samples[i];
    heard_energy += static_cast<double>(heard[i]) * heard[i];
  }
  EXPECT_GT(product / std::sqrt(energy * heard_energy), 0.95);
}

TEST_P(CodecTest, SilenceDecodesToSilence) {
  const auto frame = silence_frame(GetParam());
  ASSERT_EQ(frame.size(), rtp::facts(GetParam()).frame_bytes);
  std::vector<std::int16_t> heard(160);
  ASSERT_EQ(make_decoder(GetParam())->decode(frame, heard), 160U);
  EXPECT_THAT(heard, testing::Each(testing::AllOf(testing::Ge(-64), testing::Le(64))));
}

TEST_P(CodecTest, AnyBytesOfAnyLengthAreTaken) {
  const auto decoder = make_decoder(GetParam());
  std::vector<std::int16_t> heard(160);
  std::vector<std::uint8_t> bytes;
  for (int length = 0; length < 700; ++length) {
    EXPECT_LE(decoder->decode(bytes, heard), heard.size());
    bytes.push_back(static_cast<std::uint8_t>(length * 37));
  }
}

TEST(Codec, OnlyWidebandCodecsHaveTheWideRate) {
  EXPECT_EQ(make_encoder(rtp::Codec::pcma, 16000), nullptr);
  EXPECT_EQ(make_decoder(rtp::Codec::gsm, 16000), nullptr);
  EXPECT_NE(make_encoder(rtp::Codec::opus, 16000), nullptr);
  EXPECT_NE(make_decoder(rtp::Codec::g722, 16000), nullptr);
  EXPECT_EQ(make_decoder(rtp::Codec::opus, 44100), nullptr);
  EXPECT_FALSE(silence_frame(rtp::Codec::opus).empty());
}

TEST(G711, OneLawBecomesTheOther) {
  for (int code = 0; code < 256; ++code) {
    const std::array<std::uint8_t, 1> in{static_cast<std::uint8_t>(code)};
    std::array<std::uint8_t, 1> out{};
    alaw_to_ulaw(in, out);
    EXPECT_EQ(out[0], to_ulaw(from_alaw(in[0])));
    ulaw_to_alaw(in, out);
    EXPECT_EQ(out[0], to_alaw(from_ulaw(in[0])));
  }
}

}  // namespace
}  // namespace rw::media
