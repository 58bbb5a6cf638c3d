#include "audio/decode.h"

#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "audio/resample.h"
#include "audio/wav_file.h"
#include "decode_in_pieces.h"
#include "signals.h"
#include "support/scratch_folder.h"

namespace rw::audio {
namespace {

using namespace test;

/// The whole file.
Result<Samples> decode_file(const std::string& path, std::chrono::milliseconds most = max_duration) {
  Samples all;
  const auto take = [&](std::span<const float> piece, std::uint32_t rate) {
    all.rate = rate;
    for (const float value : piece) all.samples.push_back(to_sample(value));
  };
  const auto read = decode_in_pieces(path, take, most);
  if (!read) return tl::unexpected(read.error());
  return all;
}

Result<Samples> decode_bytes(const std::string& bytes, std::chrono::milliseconds most = max_duration) {
  const testing_support::ScratchFolder folder;
  std::ofstream(folder.file("a"), std::ios::binary) << bytes;
  return decode_file(folder.file("a"), most);
}

struct Encoding {
  int format;
  std::uint32_t rate;
  int channels;
  const char* content_type;
};

class DecodeTest : public testing::TestWithParam<Encoding> {};

TEST_P(DecodeTest, BringsTheToneBack) {
  const testing_support::ScratchFolder folder;
  const auto& [format, rate, channels, content_type] = GetParam();
  write_file(folder.file("tone"), sine(700, rate), format, channels);
  const auto facts = probe(folder.file("tone"));
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->content_type, content_type);
  EXPECT_NEAR(static_cast<double>(facts->duration.count()), 500, 60);
  auto decoded = decode_file(folder.file("tone"));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->rate, rate);
  EXPECT_NEAR(1000.0 * static_cast<double>(decoded->samples.size()) / rate,
              static_cast<double>(facts->duration.count()), 1);
  const auto telephone = resample(std::move(*decoded), 8000);
  ASSERT_TRUE(telephone);
  EXPECT_GT(share(*telephone, 700), 0.85);  // GSM is the coarsest
}

INSTANTIATE_TEST_SUITE_P(Formats, DecodeTest,
                         testing::Values(Encoding{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 11025, 1, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100, 2, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, 2, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_ALAW, 8000, 1, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 2, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_GSM610, 8000, 1, "audio/wav"},
                                         Encoding{SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, "audio/flac"},
                                         Encoding{SF_FORMAT_OGG | SF_FORMAT_VORBIS, 16000, 1, "audio/ogg"},
                                         Encoding{SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2, "audio/mpeg"}));

TEST(Decode, SaysWhyNot) {
  const testing_support::ScratchFolder folder;
  std::ofstream(folder.file("text")) << "not audio";
  EXPECT_TRUE(decode_file(folder.file("text")).error().message.starts_with("not audio that can be decoded: "));
  EXPECT_FALSE(decode_file(folder.file("missing")));
  EXPECT_FALSE(decode_file(folder.path()));
  EXPECT_EQ(decode_bytes(wav_bytes({{}, 8000})).error().message, "contains no audio");
  EXPECT_FALSE(decode_bytes({}));
}

TEST(Decode, StopsAtTheLongestDuration) {
  const testing_support::ScratchFolder folder;
  const auto bytes = wav_bytes(sine(440, 16000, 61));
  std::ofstream(folder.file("a"), std::ios::binary) << bytes;
  EXPECT_TRUE(decode_bytes(bytes));
  EXPECT_EQ(decode_bytes(bytes, std::chrono::minutes(1)).error().message, "longer than 1 minutes");
  EXPECT_FALSE(decode_file(folder.file("a"), std::chrono::minutes(1)));
}

TEST(Decode, BoundsRatesAndChannels) {
  const testing_support::ScratchFolder folder;
  for (const std::uint32_t rate : {0U, 3999U, 96001U, 0xffffffffU}) {
    const auto refused = decode_bytes(wav_bytes({std::vector<std::int16_t>(100), rate}));
    EXPECT_FALSE(refused) << rate;
  }
  write_file(folder.file("nine"), sine(440, 8000), SF_FORMAT_WAV | SF_FORMAT_PCM_16, 9);
  EXPECT_NE(decode_file(folder.file("nine")).error().message.find("9 channels"), std::string::npos);
  write_file(folder.file("aiff"), sine(440, 8000), SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 1);
  EXPECT_NE(decode_file(folder.file("aiff")).error().message.find("expected WAV, MP3, Ogg or FLAC"), std::string::npos);
}

TEST(Decode, DoesNotBelieveTheHeader) {
  auto bytes = wav_bytes(sine(440, 8000));
  for (std::size_t at = 40; at < 44; ++at) bytes[at] = '\x7f';  // the data chunk's size
  const auto samples = decode_bytes(bytes);
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->samples.size(), 4000U);
  EXPECT_TRUE(decode_bytes(bytes.substr(0, 1000)));  // cut off
  for (std::size_t length = 0; length < 44; ++length) EXPECT_FALSE(decode_bytes(bytes.substr(0, length)));
}

TEST(Decode, MakesSilenceOfWhatIsNotANumber) {
  const testing_support::ScratchFolder folder;
  SF_INFO info{};
  info.samplerate = 16000;
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  SNDFILE* file = sf_open(folder.file("nan").c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr);
  std::vector<float> values(1600, std::numeric_limits<float>::quiet_NaN());
  values[0] = std::numeric_limits<float>::infinity();
  values[1] = 1e30F;
  sf_writef_float(file, values.data(), static_cast<sf_count_t>(values.size()));
  sf_close(file);
  const auto samples = decode_file(folder.file("nan"));
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->samples[0], 0);
  EXPECT_EQ(samples->samples[1], 32767);
  EXPECT_EQ(samples->samples[2], 0);
  EXPECT_TRUE(decode_in_pieces(folder.file("nan"), [](std::span<const float>, std::uint32_t) {}));
}

TEST(Decode, MixesChannels) {
  const testing_support::ScratchFolder folder;
  SF_INFO info{};
  info.samplerate = 8000;
  info.channels = 2;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  SNDFILE* file = sf_open(folder.file("stereo").c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr);
  const std::vector<std::int16_t> frames{1000, 3000, -200, 200};
  sf_writef_short(file, frames.data(), 2);
  sf_close(file);
  const auto samples = decode_file(folder.file("stereo"));
  ASSERT_TRUE(samples);
  ASSERT_EQ(samples->samples.size(), 2U);
  EXPECT_NEAR(samples->samples[0], 2000, 1);
  EXPECT_NEAR(samples->samples[1], 0, 1);
}

TEST(Resample, LeavesOutWhatTheTelephoneCanNotCarry) {
  const auto telephone = resample(sine(6000, 48000), 8000);
  ASSERT_TRUE(telephone);
  EXPECT_NEAR(static_cast<double>(telephone->samples.size()), 4000, 1);
  double power = 0;
  for (const auto sample : telephone->samples) power += static_cast<double>(sample) * sample;
  EXPECT_LT(std::sqrt(power / 4000), 100);  // of 5657
}

}  // namespace
}  // namespace rw::audio
