#include "media/player.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "media/codec.h"

namespace rw::media {
namespace {

using namespace std::chrono_literals;

constexpr int loud = 8000;

SoundPtr constant(int frames, std::int16_t level) {
  auto sound = std::make_shared<Sound>(
      std::vector<std::int16_t>(frame_samples * static_cast<std::size_t>(frames), level), 8000U);
  sound->encode(rtp::Codec::pcma);
  sound->encode(rtp::Codec::pcmu);
  sound->encode(rtp::Codec::gsm);
  return sound;
}

/// Plays on, and keeps what is heard.
class PlayerTest : public testing::TestWithParam<rtp::Codec> {
 protected:
  void hear(int frames) {
    for (int i = 0; i < frames; ++i) {
      const auto frame = player_.next(GetParam(), rtp::EventFormat{}, 0);
      for (std::size_t at = 0; at < frame_samples; ++at)
        heard_.push_back(frame.payload.empty()            ? 0
                         : GetParam() == rtp::Codec::pcma ? from_alaw(frame.payload[at])
                                                          : from_ulaw(frame.payload[at]));
      player_.frame_sent();
    }
  }
  /// The hardest step from one sample to the next.
  int hardest_step() const {
    int hardest = 0;
    for (std::size_t at = 1; at < heard_.size(); ++at)
      hardest = std::max(hardest, std::abs(heard_[at] - heard_[at - 1]));
    return hardest;
  }
  /// What a sample of the constant sound comes back as.
  bool is_loud(std::size_t frame) const { return std::abs(heard_[frame * frame_samples + 80] - loud) < 300; }
  Play quiet(PlayId id, int frames) { return {id, constant(frames, 0), 0ms, false, 0ms}; }

  Player player_;
  std::vector<int> heard_;
};

INSTANTIATE_TEST_SUITE_P(G711, PlayerTest, testing::Values(rtp::Codec::pcma, rtp::Codec::pcmu));

TEST_P(PlayerTest, TheBackgroundGivesWayAndComesBackWithoutAClick) {
  player_.set_background(constant(50, loud), 0ms);
  hear(3);
  heard_.clear();  // how a sound begins is its own affair
  hear(2);
  player_.add(quiet(1, 5));
  hear(12);
  EXPECT_LT(hardest_step(), 700);
  EXPECT_TRUE(is_loud(0));
  for (std::size_t frame = 3; frame < 8; ++frame)
    EXPECT_EQ(heard_[frame * frame_samples + 80], heard_[3 * frame_samples]);
  EXPECT_TRUE(is_loud(10));
}

TEST_P(PlayerTest, TheBackgroundGoesOnWhereItWas) {
  std::vector<std::int16_t> ramp;
  for (int frame = 0; frame < 20; ++frame)
    ramp.insert(ramp.end(), frame_samples, static_cast<std::int16_t>(frame * 1000));
  const auto sound = std::make_shared<Sound>(std::move(ramp), 8000U);
  sound->encode(GetParam());
  player_.set_background(sound, 0ms);
  hear(5);
  player_.add(quiet(1, 3));
  hear(7);
  // 0 … 4, 5 fading out, three quiet ones, 6 fading in, 7, 8
  EXPECT_NEAR(heard_[11 * frame_samples + 80], 8000, 300);
}

TEST_P(PlayerTest, WhatIsStoppedFadesOut) {
  player_.add({1, constant(50, loud), 0ms, false, 0ms});
  hear(2);
  heard_.clear();
  hear(1);
  player_.stop(1);
  hear(3);
  player_.set_background(constant(50, loud), 0ms);
  hear(1);
  const auto begun = heard_.size();
  hear(2);
  player_.set_background(nullptr, 0ms);
  hear(3);
  int hardest = 0;
  for (std::size_t at = 1; at < heard_.size(); ++at)
    if (at != begun - frame_samples) hardest = std::max(hardest, std::abs(heard_[at] - heard_[at - 1]));
  EXPECT_LT(hardest, 700);
  ASSERT_EQ(player_.ended().size(), 1U);
  EXPECT_FALSE(player_.ended()[0].completed);
}

TEST_P(PlayerTest, ASoundThatEndsByItselfIsFollowedAtOnce) {
  player_.add({1, constant(2, loud), 0ms, false, 0ms});
  player_.add({2, constant(2, loud), 0ms, false, 0ms});
  hear(4);
  for (std::size_t frame = 0; frame < 4; ++frame) EXPECT_TRUE(is_loud(frame));
  EXPECT_EQ(player_.ended().size(), 2U);
}

TEST(Player, FramesOfOtherCodecsAreLeftAsTheyAre) {
  Player player;
  const auto sound = constant(10, loud);
  player.add({1, sound, 0ms, false, 0ms});
  player.next(rtp::Codec::gsm, rtp::EventFormat{}, 0);
  player.stop(1);
  EXPECT_TRUE(player.next(rtp::Codec::gsm, rtp::EventFormat{}, 0).payload.empty());
}

}  // namespace
}  // namespace rw::media
