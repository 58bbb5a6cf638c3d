#include "call/fair_rate.h"

#include <gtest/gtest.h>

#include <array>

#include "call/admission_control.h"

namespace rw::call {
namespace {

using namespace std::chrono_literals;

class FairRateTest : public testing::Test {
 protected:
  std::optional<FairRate::Over> take(const std::string& name, double rate = 100, double share = 25) {
    const std::array<FairRate::Drawer, 1> who{{{name, share}}};
    return rate_.take(rate, who, now);
  }
  int taken(const std::string& name, int tries, double rate = 100, double share = 25) {
    int count = 0;
    for (int at = 0; at < tries; ++at) count += take(name, rate, share) ? 0 : 1;
    return count;
  }
  FairRate rate_;
  TimePoint now{};
};

TEST_F(FairRateTest, OneThatIsAloneLeavesHalfOfASecondsWorthForOthers) {
  EXPECT_EQ(taken("flood", 1000), 50);
  const auto over = take("flood");
  ASSERT_TRUE(over && over->whose);
  EXPECT_EQ(*over->whose, 0U);
  EXPECT_EQ(over->retry_after, 1);
  EXPECT_EQ(taken("a", 25), 25);
  EXPECT_EQ(taken("b", 25), 25);
  const auto none_left = take("c");
  ASSERT_TRUE(none_left);
  EXPECT_FALSE(none_left->whose);
}

TEST_F(FairRateTest, OneThatIsAloneHasTheWholeRate) {
  for (const double rate : {0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 100.0}) {
    rate_ = FairRate();
    int count = 0;
    for (int step = 0; step < 60'000; ++step, now += 1ms) count += taken("alone", 1, rate, rate / 4);
    EXPECT_GE(count, 58 * rate) << rate;
    EXPECT_LE(count, 62 * rate + 1) << rate;
  }
}

TEST_F(FairRateTest, AFloodNeverKeepsOutWhoStaysWithinItsShare) {
  for (int step = 0; step < 10'000; ++step, now += 1ms) {
    (void)taken("flood", 3);
    if (step % 50 == 0) {
      EXPECT_FALSE(take("phone")) << step;
    }
  }
}

TEST_F(FairRateTest, SomebodyWithoutANameIsLimitedByTheWholeAlone) {
  for (int at = 0; at < 100; ++at) EXPECT_FALSE(rate_.take(100, {}, now));
  EXPECT_TRUE(rate_.take(100, {}, now));
  EXPECT_TRUE(rate_.exhausted(100, now));
}

TEST_F(FairRateTest, WhatIsKnownOfManyIsBounded) {
  for (std::size_t at = 0; at < 3 * FairRate::most_known; ++at, now += 100ms) EXPECT_FALSE(take(std::to_string(at)));
}

TEST(AdmissionControlTest, ADomainsCallsLeaveRoomForThoseOfOthers) {
  AdmissionControl admission({.max_calls = 10, .per_second = 100, .per_second_of_source = 25});
  const TimePoint now{};
  int in = 0;
  std::optional<AdmissionControl::Full> full;
  while (!(full = admission.enter("a.example", {}, now))) ++in;
  EXPECT_EQ(in, 75);
  EXPECT_TRUE(full->share);
  EXPECT_EQ(full->what, "limits.calls_per_second: its domain has had its share");
  EXPECT_FALSE(admission.enter("b.example", {}, now));
  EXPECT_EQ(admission.decide(0, now).status, 0);
}

TEST(AdmissionControlTest, ASourcesCallsToManyDomainsLeaveRoomForThoseOfOthers) {
  AdmissionControl admission({.max_calls = 10, .per_second = 100, .per_second_of_source = 10});
  const TimePoint now{};
  std::optional<AdmissionControl::Full> full;
  for (int at = 0; !full; ++at) full = admission.enter(std::to_string(at) + ".example", "192.0.2.1", now);
  EXPECT_EQ(full->what, "limits.calls_per_second_per_source: its source has had its share");
  EXPECT_FALSE(admission.enter("b.example", "192.0.2.2", now));
}

TEST(AdmissionControlTest, ASourcesFloodLeavesRoomForOtherCallersOfTheSameDomain) {
  AdmissionControl admission({.max_calls = 10, .per_second = 100, .per_second_of_source = 10});
  const TimePoint now{};
  while (!admission.enter("a.example", "192.0.2.1", now)) continue;
  for (int at = 2; at < 22; ++at) EXPECT_FALSE(admission.enter("a.example", "192.0.2." + std::to_string(at), now));
  EXPECT_FALSE(admission.enter("b.example", {}, now));
}

TEST(AdmissionControlTest, NothingIsTakenBeforeACallBegins) {
  AdmissionControl admission({.max_calls = 10, .per_second = 1, .per_second_of_source = 1});
  const TimePoint now{};
  for (int at = 0; at < 10; ++at) EXPECT_EQ(admission.decide(0, now).status, 0);
  EXPECT_FALSE(admission.enter("a.example", "192.0.2.1", now));
  EXPECT_EQ(admission.decide(0, now).status, 503);
  EXPECT_EQ(admission.decide(10, now + 2s).status, 503);
}

}  // namespace
}  // namespace rw::call
