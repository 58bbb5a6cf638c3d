#include "media/sound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "media/sound_cursor.h"

namespace rw::media {
namespace {

using namespace std::chrono_literals;

using Bytes = std::vector<std::uint8_t>;

SoundPtr sound_of(std::size_t samples) {
  auto sound = std::make_shared<Sound>(std::vector<std::int16_t>(samples, 1000), 8000U);
  sound->encode(rtp::Codec::pcma);
  return sound;
}

TEST(Sound, IsPaddedToWholeFrames) {
  const SoundPtr sound = sound_of(161);
  EXPECT_EQ(sound->duration(), 40ms);
  const Payload* payload = sound->payload(rtp::Codec::pcma);
  ASSERT_NE(payload, nullptr);
  EXPECT_EQ(payload->frames(), 2U);
  EXPECT_EQ(payload->frame(1)[1], 0xD5);
  EXPECT_EQ(payload->frame(0).size(), 160U);
}

TEST(Sound, HasAFormOnlyAfterEncoding) {
  const SoundPtr sound = sound_of(320);
  EXPECT_EQ(sound->payload(rtp::Codec::gsm), nullptr);
  const std::size_t before = sound->memory();
  sound->encode(rtp::Codec::gsm);
  ASSERT_NE(sound->payload(rtp::Codec::gsm), nullptr);
  EXPECT_EQ(sound->payload(rtp::Codec::gsm)->frame(1).size(), 33U);
  EXPECT_GT(sound->memory(), before);
}

TEST(Sound, MayHaveFramesOfDifferentLengths) {
  const SoundPtr sound = sound_of(320);
  sound->encode(rtp::Codec::opus);
  const Payload* payload = sound->payload(rtp::Codec::opus);
  ASSERT_NE(payload, nullptr);
  ASSERT_EQ(payload->frames(), 2U);
  EXPECT_FALSE(payload->frame(0).empty());
  EXPECT_FALSE(payload->frame(1).empty());
}

TEST(Sound, HasNoFormOfACodecWithoutItsRate) {
  const Sound wide(std::vector<std::int16_t>(640), 16000);
  wide.encode(rtp::Codec::pcma);
  EXPECT_EQ(wide.payload(rtp::Codec::pcma), nullptr);
  wide.encode(rtp::Codec::g722);
  EXPECT_NE(wide.payload(rtp::Codec::g722), nullptr);
}

TEST(Sound, MayBeEncodedByManyThreads) {
  const auto sound = std::make_shared<Sound>(std::vector<std::int16_t>(16000, 5), 8000U);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      sound->encode(rtp::Codec::pcmu);
      EXPECT_EQ(sound->payload(rtp::Codec::pcmu)->frames(), 100U);
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(Payload, FramesMayVaryInSize) {
  Payload payload(rtp::Codec::opus);
  for (const std::vector<std::uint8_t>& frame : {Bytes{1}, Bytes{2, 3, 4}, Bytes{5, 6}}) payload.append(frame);
  ASSERT_EQ(payload.frames(), 3U);
  EXPECT_THAT(payload.frame(0), testing::ElementsAre(1));
  EXPECT_THAT(payload.frame(1), testing::ElementsAre(2, 3, 4));
  EXPECT_THAT(payload.frame(2), testing::ElementsAre(5, 6));
}

TEST(Payload, FramesStayWhereTheyAre) {
  Payload payload(rtp::Codec::opus);
  std::vector<const std::uint8_t*> places;
  for (std::size_t i = 0; i < 1000; ++i) {
    payload.append(Bytes{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i / 256)});
    places.push_back(payload.frame(i).data());
  }
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(payload.frame(i).data(), places[i]);
    EXPECT_EQ(payload.frame(i)[0] + payload.frame(i)[1] * 256U, i);
  }
}

TEST(Sound, GrowsInAllFormsThatWereAskedFor) {
  Sound sound(8000U);
  sound.append(std::vector<std::int16_t>(200, 7));
  sound.encode(rtp::Codec::pcma);
  sound.encode(rtp::Codec::opus);
  EXPECT_EQ(sound.payload(rtp::Codec::pcma)->frames(), 1U);
  sound.append(std::vector<std::int16_t>(200, 7));
  EXPECT_EQ(sound.payload(rtp::Codec::pcma)->frames(), 2U);
  EXPECT_EQ(sound.payload(rtp::Codec::opus)->frames(), 2U);
  EXPECT_FALSE(sound.complete());
  sound.finish("cut off");
  EXPECT_EQ(sound.payload(rtp::Codec::pcma)->frames(), 3U);
  EXPECT_EQ(sound.payload(rtp::Codec::opus)->frames(), 3U);
  EXPECT_TRUE(sound.complete());
  EXPECT_EQ(sound.problem(), "cut off");
  EXPECT_EQ(sound.duration(), 60ms);
}

TEST(Sound, SoundsTheSameWhetherItGrewOrNot) {
  std::vector<std::int16_t> samples(8000);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int16_t>((i * 37) % 8000);
  for (const auto& facts : rtp::codecs) {
    const Sound whole(samples, 8000);
    whole.encode(facts.codec);
    Sound grown(8000U);
    for (std::span<const std::int16_t> left(samples); !left.empty();) {
      const auto piece = std::min<std::size_t>(left.size(), 333);
      grown.append(left.first(piece));
      grown.encode(facts.codec);
      left = left.subspan(piece);
    }
    grown.finish();
    const Payload &a = *whole.payload(facts.codec), &b = *grown.payload(facts.codec);
    ASSERT_EQ(a.frames(), b.frames());
    for (std::size_t i = 0; i < a.frames(); ++i) EXPECT_TRUE(std::ranges::equal(a.frame(i), b.frame(i)));
  }
}

TEST(Sound, MayBeReadWhileItGrows) {
  const auto sound = std::make_shared<Sound>(8000U);
  sound->encode(rtp::Codec::pcma);
  std::thread writer([&] {
    for (int i = 0; i < 500; ++i) sound->append(std::vector<std::int16_t>(160, 1000));
    sound->finish();
  });
  SoundCursor cursor(sound, 0ms, false, 0ms);
  std::size_t heard = 0;
  while (!cursor.over())
    if (!cursor.next(rtp::Codec::pcma).empty()) ++heard;
  writer.join();
  EXPECT_EQ(heard, 500U);
}

TEST(SoundCursor, WaitsForWhatHasNotComeYet) {
  const auto sound = std::make_shared<Sound>(8000U);
  sound->encode(rtp::Codec::pcma);
  SoundCursor cursor(sound, 0ms, false, 0ms);
  EXPECT_TRUE(cursor.next(rtp::Codec::pcma).empty());
  sound->append(std::vector<std::int16_t>(160, 1000));
  EXPECT_FALSE(cursor.next(rtp::Codec::pcma).empty());
  EXPECT_TRUE(cursor.next(rtp::Codec::pcma).empty());
  EXPECT_FALSE(cursor.over());
  sound->append(std::vector<std::int16_t>(160, 1000));
  sound->finish();
  EXPECT_FALSE(cursor.next(rtp::Codec::pcma).empty());
  EXPECT_TRUE(cursor.over());
}

TEST(SoundCursor, EndsWithTheLastFrame) {
  SoundCursor cursor(sound_of(320), 0ms, false, 0ms);
  EXPECT_FALSE(cursor.next(rtp::Codec::pcma).empty());
  EXPECT_FALSE(cursor.over());
  EXPECT_FALSE(cursor.next(rtp::Codec::pcma).empty());
  EXPECT_TRUE(cursor.over());
}

TEST(SoundCursor, LoopsWithPause) {
  SoundCursor cursor(sound_of(160), 0ms, true, 30ms);
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(cursor.next(rtp::Codec::pcma).empty());
    EXPECT_TRUE(cursor.next(rtp::Codec::pcma).empty());
    EXPECT_TRUE(cursor.next(rtp::Codec::pcma).empty());
    EXPECT_FALSE(cursor.over());
  }
}

TEST(SoundCursor, WhatHasNoLengthIsOverAtOnceUnlessItLoops) {
  EXPECT_TRUE(SoundCursor(sound_of(0), 0ms, false, 0ms).over());
  EXPECT_TRUE(SoundCursor(nullptr, 0ms, false, 0ms).over());
  EXPECT_TRUE(SoundCursor(nullptr, -5ms, false, 0ms).over());
  SoundCursor looping(sound_of(0), 0ms, true, 0ms);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(looping.next(rtp::Codec::pcma).empty());
  EXPECT_FALSE(looping.over());
}

TEST(SoundCursor, WaitsForAMissingForm) {
  SoundCursor cursor(sound_of(160), 0ms, false, 0ms);
  EXPECT_TRUE(cursor.next(rtp::Codec::gsm).empty());
  EXPECT_FALSE(cursor.over());
  EXPECT_FALSE(cursor.next(rtp::Codec::pcma).empty());
  EXPECT_TRUE(cursor.over());
}

}  // namespace
}  // namespace rw::media
