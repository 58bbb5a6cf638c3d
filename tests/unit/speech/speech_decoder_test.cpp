#include "speech/speech_decoder.h"

#include <gtest/gtest.h>

#include "unit/speech/collected.h"
#include "unit/speech/sample_audio.h"

namespace rw::speech {
namespace {

constexpr RawAudio linear{RawAudio::Coding::linear, 8000};

Result<double> seconds(std::string_view bytes, std::optional<RawAudio> raw = std::nullopt, std::size_t step = 777) {
  Collected heard;
  const auto take = heard.take();
  Pieces pieces(take);
  SpeechDecoder decoder(raw, pieces);
  while (!bytes.empty()) {
    if (auto fed = decoder.feed(bytes.substr(0, step)); !fed) return tl::unexpected(fed.error());
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  if (auto finished = decoder.finish(); !finished) return tl::unexpected(finished.error());
  if (auto finished = pieces.finish(); !finished) return tl::unexpected(finished.error());
  return heard.seconds();
}

TEST(SpeechDecoder, TakesFilesAsTheyAreAndAllElseAsRawSamples) {
  for (const std::size_t step : {1U, 13U, 100'000U}) {
    EXPECT_NEAR(*seconds(wav_of(16'000), std::nullopt, step), 1, 0.01);
    EXPECT_NEAR(*seconds(wav_of(16'000), linear, step), 1, 0.01);
    EXPECT_NEAR(*seconds(mp3_of(16'000), std::nullopt, step), 1, 0.2);
    EXPECT_NEAR(*seconds(ogg_of(16'000), std::nullopt, step), 1, 0.05);
    EXPECT_NEAR(*seconds(ogg_of(16'000), linear, step), 1, 0.05);
    EXPECT_NEAR(*seconds(flac_of(16'000), std::nullopt, step), 1, 0.01);
    EXPECT_NEAR(*seconds(pcm_of(16'000), linear, step), 2, 0.01);
    EXPECT_NEAR(*seconds(std::string(4000, '\x55'), RawAudio{RawAudio::Coding::a_law, 8000}, step), 0.5, 0.01);
    EXPECT_NEAR(*seconds(std::string(4000, '\x7f'), RawAudio{RawAudio::Coding::mu_law, 8000}, step), 0.5, 0.01);
  }
  EXPECT_NEAR(*seconds("12", linear), 1 / 8000.0, 1e-6);
}

// (Not an MP3 file that ends with a whole frame: nothing in it tells how many there should be.)
TEST(SpeechDecoder, NoticesWhatBreaksOff) {
  for (const auto& whole : {wav_of(16'000), mp3_of(16'000), ogg_of(16'000), flac_of(16'000)}) {
    ASSERT_TRUE(seconds(whole));
    for (const std::size_t cut : {whole.size() / 3, whole.size() / 2 + 1, whole.size() * 9 / 10})
      EXPECT_FALSE(seconds(std::string_view(whole).substr(0, cut))) << whole.substr(0, 4) << " " << cut;
  }
  EXPECT_FALSE(seconds(pcm_of(100) + "x", linear));
}

TEST(SpeechDecoder, RefusesWhatIsNoAudio) {
  EXPECT_FALSE(seconds(""));
  EXPECT_FALSE(seconds("", linear));
  EXPECT_FALSE(seconds("{\"error\": \"no such voice, and no audio either\"}"));
  EXPECT_FALSE(seconds(wav_of(0)));
  EXPECT_FALSE(seconds("RIFF"));
}

TEST(Pieces, AreBroughtToOneRateAndBounded) {
  Collected heard;
  const auto take = heard.take();
  Pieces pieces(take);
  EXPECT_TRUE(pieces.add(a_tone(8000), 8000));
  EXPECT_TRUE(pieces.add(a_tone(16'000), 16'000));
  EXPECT_FALSE(pieces.add(a_tone(10), 100));
  ASSERT_TRUE(pieces.finish());
  EXPECT_NEAR(heard.seconds(), 2, 0.02);
  for (const auto& piece : heard.pieces) EXPECT_EQ(piece.rate, 8000U);
  const auto minute = a_tone(60 * 8000);
  bool fits = true;
  for (int minutes = 0; fits && minutes < 40; ++minutes) fits = pieces.add(minute, 8000).has_value();
  EXPECT_FALSE(fits);
}

TEST(Pieces, StopWhenNoMoreIsWanted) {
  int taken = 0;
  const SpeechEngine::Take once = [&](const audio::Samples&) { return ++taken < 1; };
  Pieces pieces(once);
  EXPECT_TRUE(pieces.add(a_tone(8000), 8000));
  EXPECT_FALSE(pieces.wanted());
  EXPECT_TRUE(pieces.add(a_tone(8000), 8000));
  EXPECT_TRUE(pieces.finish());
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace rw::speech
