#include "recording/sound_encoder.h"

#include <gtest/gtest.h>

#include <random>

#include "recording/repair.h"
#include "support/recording_test.h"
#include "support/scratch_folder.h"

namespace rw::recording {
namespace {

using recording_test::read_sound;
using recording_test::rms;
using recording_test::Samples;
using recording_test::SoundFile;
using recording_test::tone;

struct Case {
  Format format;
  std::uint32_t rate;
};
class SoundEncoderTest : public testing::TestWithParam<Case> {
 protected:
  /// The file, as it grows by 200 ms; whole if `finish`.
  std::vector<std::uint8_t> encoded(const std::vector<Samples>& channels, bool finish = true) {
    auto encoder = make_sound_encoder(GetParam().format, GetParam().rate, static_cast<int>(channels.size()));
    EXPECT_TRUE(encoder);
    Samples interleaved;
    for (std::size_t at = 0; at < channels[0].size(); ++at) {
      for (const auto& channel : channels) interleaved.push_back(channel[at]);
    }
    Bytes bytes;
    (*encoder)->begin(bytes);
    const std::size_t piece = GetParam().rate / 5 * channels.size();
    for (std::size_t at = 0; at < interleaved.size(); at += piece)
      (*encoder)->add(std::span(interleaved).subspan(at, std::min(piece, interleaved.size() - at)), bytes);
    if (!finish) return bytes;
    (*encoder)->finish(bytes);
    const auto header = (*encoder)->final_header();
    std::copy(header.begin(), header.end(), bytes.begin());
    return bytes;
  }
  SoundFile decoded(const std::vector<std::uint8_t>& bytes) {
    recording_test::write_file(folder.file("x"), bytes);
    return read_sound(folder.file("x"));
  }
  /// libsndfile gives Opus at 48 kHz unless the file says otherwise.
  double seconds(const SoundFile& sound) {
    return static_cast<double>(sound.channels.at(0).size()) / static_cast<double>(sound.rate);
  }
  testing_support::ScratchFolder folder;
};

TEST_P(SoundEncoderTest, WritesAFileWithItsChannelsApart) {
  const auto rate = GetParam().rate;
  const auto sound = decoded(encoded({tone(440, rate, 3.3), Samples(static_cast<std::size_t>(rate * 3.3))}));
  ASSERT_EQ(sound.channels.size(), 2U);
  EXPECT_NEAR(seconds(sound), 3.3, GetParam().format == Format::mp3 ? 0.3 : 0.001);
  const auto middle = sound.channels[0].size() / 3;
  EXPECT_NEAR(rms(sound.channels[0], middle, middle), 8000 / std::sqrt(2), 800);
  EXPECT_LT(rms(sound.channels[1], middle, middle), 8000 / std::sqrt(2) / 100) << "less than 40 dB apart";
}

TEST_P(SoundEncoderTest, WritesOneChannel) {
  const auto sound = decoded(encoded({tone(440, GetParam().rate, 2)}));
  ASSERT_EQ(sound.channels.size(), 1U);
  EXPECT_NEAR(seconds(sound), 2, GetParam().format == Format::mp3 ? 0.3 : 0.001);
  EXPECT_NEAR(rms(sound.channels[0], sound.rate / 2, sound.rate), 8000 / std::sqrt(2), 800);
}

TEST_P(SoundEncoderTest, AWholeFileNeedsNoRepair) {
  const auto bytes = encoded({tone(440, GetParam().rate, 2), tone(880, GetParam().rate, 2)});
  const auto repair = plan_repair(GetParam().format, bytes);
  ASSERT_TRUE(repair) << repair.error().message;
  EXPECT_EQ(repair->size, bytes.size());
  EXPECT_TRUE(repair->patches.empty());
  EXPECT_NEAR(static_cast<double>(repair->duration.count()), 2000, 250);
}

TEST_P(SoundEncoderTest, ACutFileIsRepairedWithLittleLoss) {
  const auto rate = GetParam().rate;
  const auto bytes = encoded({tone(440, rate, 5), tone(880, rate, 5)}, false);
  std::mt19937 random(3);
  for (int count = 0; count < 40; ++count) {
    const auto cut = bytes.size() / 4 + random() % (bytes.size() * 3 / 4);
    auto part = std::vector(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    const auto repair = repair_bytes(GetParam().format, part);
    ASSERT_TRUE(repair) << cut << ": " << repair.error().message;
    const auto sound = decoded(part);
    ASSERT_EQ(sound.channels.size(), 2U) << cut;
    const double expected = 5.0 * static_cast<double>(cut) / static_cast<double>(bytes.size());
    EXPECT_NEAR(seconds(sound), expected, 0.6) << cut;
    EXPECT_NEAR(static_cast<double>(repair->duration.count()), seconds(sound) * 1000, 50) << cut;
    EXPECT_GT(rms(sound.channels[1], sound.rate / 2, sound.rate / 4), 4000);
    // Once is enough.
    const auto again = plan_repair(GetParam().format, part);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->size, part.size());
    EXPECT_TRUE(again->patches.empty());
  }
}

TEST_P(SoundEncoderTest, NothingMakesTheRepairFall) {
  const auto bytes = encoded({tone(440, GetParam().rate, 1), tone(880, GetParam().rate, 1)}, false);
  std::mt19937 random(5);
  for (int count = 0; count < 2000; ++count) {
    auto broken = bytes;
    for (int change = 0; change < 8; ++change) broken[random() % broken.size()] = static_cast<std::uint8_t>(random());
    broken.resize(random() % broken.size());
    repair_bytes(GetParam().format, broken);
  }
  EXPECT_FALSE(plan_repair(GetParam().format, {}));
}

INSTANTIATE_TEST_SUITE_P(Formats, SoundEncoderTest,
                         testing::Values(Case{Format::wav, 8000}, Case{Format::wav, 16000}, Case{Format::mp3, 8000},
                                         Case{Format::mp3, 16000}, Case{Format::ogg, 8000}, Case{Format::ogg, 16000}),
                         [](const auto& info) {
                           return std::string(extension(info.param.format)) + std::to_string(info.param.rate);
                         });

TEST(FormatTest, IsWhatTheExtensionSays) {
  EXPECT_EQ(*format_of("a.WAV"), Format::wav);
  EXPECT_EQ(*format_of("a.b.ogg"), Format::ogg);
  EXPECT_EQ(*format_of("a.mp3"), Format::mp3);
  EXPECT_EQ(*format_of("a"), Format::mp3);
  EXPECT_FALSE(format_of("a.txt"));
  EXPECT_EQ(stored_name("a", false), "a.mp3");
  EXPECT_EQ(stored_name("a.ogg", true), "a.ogg.enc");
}

TEST(FormatTest, RefusesWhatCannotBeEncoded) {
  EXPECT_FALSE(make_sound_encoder(Format::wav, 44'100, 2));
  EXPECT_FALSE(make_sound_encoder(Format::wav, 8000, 3));
}

}  // namespace
}  // namespace rw::recording
