#include "media/tone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <span>

#include "media/dtmf_detector.h"

namespace rw::media {
namespace {

using namespace std::chrono_literals;

/// Amplitude of `frequency` in `samples` (8000 Hz).
double amplitude(std::span<const std::int16_t> samples, double frequency) {
  double cosine = 0, sine = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double angle = 2 * std::numbers::pi * frequency * static_cast<double>(i) / 8000;
    cosine += samples[i] * std::cos(angle);
    sine += samples[i] * std::sin(angle);
  }
  return 2 * std::hypot(cosine, sine) / static_cast<double>(samples.size());
}

TEST(Tone, KnowsThePlans) {
  for (const char* plan : {"se", "eu", "uk", "us", "de", "fr"})
    for (const char* name : {"dial", "ringback", "busy", "congestion"})
      EXPECT_TRUE(plan_tone(plan, name)) << plan << name;
  const auto ringback = plan_tone("us", "ringback");
  EXPECT_THAT(ringback->frequencies, testing::ElementsAre(440, 480));
  EXPECT_THAT(ringback->cadence, testing::ElementsAre(2000ms, 4000ms));
  EXPECT_TRUE(plan_tone("se", "dial")->cadence.empty());
}

TEST(Tone, NamesWhatIsUnknown) {
  const auto plan = plan_tone("xx", "dial");
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, testing::AllOf(testing::HasSubstr("xx"), testing::HasSubstr("se, eu")));
  const auto name = plan_tone("se", "moo");
  ASSERT_FALSE(name);
  EXPECT_THAT(name.error().message, testing::AllOf(testing::HasSubstr("moo"), testing::HasSubstr("ringback")));
}

TEST(Tone, FollowsTheCadence) {
  const auto samples = tone_samples(*plan_tone("se", "busy"), 1000ms);
  ASSERT_EQ(samples.size(), 8000U);
  const std::span all(samples);
  EXPECT_GT(amplitude(all.subspan(0, 2000), 425), 6000);
  EXPECT_THAT(all.subspan(2000, 2000), testing::Each(0));
  EXPECT_GT(amplitude(all.subspan(4000, 2000), 425), 6000);
  EXPECT_THAT(all.subspan(6000), testing::Each(0));
}

TEST(Tone, MixesFrequencies) {
  const auto samples = tone_samples({{350, 440}, {}}, 1000ms);
  EXPECT_NEAR(amplitude(samples, 350), 5000, 150);
  EXPECT_NEAR(amplitude(samples, 440), 5000, 150);
  EXPECT_LT(amplitude(samples, 600), 100);
}

TEST(Tone, OddRequestsAreSilence) {
  EXPECT_TRUE(tone_samples({{425}, {}}, 0ms).empty());
  EXPECT_TRUE(tone_samples({{425}, {}}, -1s).empty());
  EXPECT_THAT(tone_samples({{}, {}}, 20ms), testing::Each(0));
  EXPECT_THAT(tone_samples({{-5, 0, 4000, 1e9, NAN}, {}}, 20ms), testing::Each(0));
}

TEST(DtmfDetector, FindsEachDigitOnce) {
  for (const char digit : std::string("0123456789*#ABCD")) {
    DtmfDetector detector;
    std::vector<std::int16_t> samples = tone_samples(*dtmf_tone(digit), 100ms);
    samples.resize(samples.size() + 1600);
    std::string found;
    for (std::size_t at = 0; at < samples.size(); at += 160)
      if (const auto one = detector.put(std::span(samples).subspan(at, 160))) found += *one;
    EXPECT_EQ(found, std::string(1, digit));
  }
}

TEST(DtmfDetector, IgnoresOtherTones) {
  DtmfDetector detector;
  EXPECT_FALSE(detector.put(tone_samples(*plan_tone("us", "busy"), 3s)));
  EXPECT_FALSE(detector.put(std::vector<std::int16_t>(8000)));
  detector.put_gap(160);
}

TEST(DtmfTone, OtherCharactersHaveNone) {
  EXPECT_FALSE(dtmf_tone('x'));
  EXPECT_FALSE(dtmf_tone('\0'));
  EXPECT_TRUE(dtmf_tone('a'));
}

}  // namespace
}  // namespace rw::media
