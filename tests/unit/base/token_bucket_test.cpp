#include "base/token_bucket.h"

#include <gtest/gtest.h>

namespace rw {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, LetsASecondsWorthThroughAtOnceAndThenTheRate) {
  TokenBucket bucket;
  TimePoint now{};
  for (int at = 0; at < 5; ++at) EXPECT_FALSE(bucket.take(5, now));
  EXPECT_EQ(bucket.take(5, now), 1);
  now += 199ms;
  EXPECT_TRUE(bucket.take(5, now));
  now += 2ms;
  EXPECT_FALSE(bucket.take(5, now));
  EXPECT_TRUE(bucket.take(5, now));
  now += 1h;
  for (int at = 0; at < 5; ++at) EXPECT_FALSE(bucket.take(5, now));
  EXPECT_TRUE(bucket.take(5, now)) << "an hour of silence saves up no more than a second's worth";
}

TEST(TokenBucket, SaysWhenToComeBack) {
  TokenBucket bucket;
  const TimePoint now{};
  EXPECT_FALSE(bucket.take(0.1, now)) << "one at least";
  EXPECT_EQ(bucket.take(0.1, now), 10);
  EXPECT_EQ(bucket.take(0.001, now), 60);
  EXPECT_FALSE(bucket.take(0.1, now + 10s));
}

TEST(TokenBucket, TakesTimeThatGoesBack) {
  TokenBucket bucket;
  const auto now = TimePoint{} + 1h;
  EXPECT_FALSE(bucket.take(1, now));
  EXPECT_EQ(bucket.take(1, now - 1s), 1);
}

}  // namespace
}  // namespace rw
