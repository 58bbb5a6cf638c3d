#include "sounds/lanes.h"

#include <gtest/gtest.h>

namespace rw::sounds {
namespace {

TEST(Lanes, KeepTheLastQuarterForDomainsThatHaveNone) {
  constexpr int most = 4;
  Lanes lanes;
  for (int at = 0; at < 3; ++at) {
    ASSERT_TRUE(lanes.has_place("tts", most, "a"));
    lanes.take("tts", "a");
  }
  EXPECT_FALSE(lanes.has_place("tts", most, "a"));
  EXPECT_TRUE(lanes.has_place("other", most, "a"));
  ASSERT_TRUE(lanes.has_place("tts", most, "b"));
  lanes.take("tts", "b");
  EXPECT_FALSE(lanes.has_place("tts", most, "c"));
  lanes.give_back("tts", "b");
  EXPECT_FALSE(lanes.has_place("tts", most, "a"));
  EXPECT_TRUE(lanes.has_place("tts", most, "c"));
  lanes.give_back("tts", "a");
  EXPECT_TRUE(lanes.has_place("tts", most, "a"));
}

}  // namespace
}  // namespace rw::sounds
