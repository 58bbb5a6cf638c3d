#include "call/call_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace rw::call {
namespace {

using namespace std::chrono_literals;

class CallLimitsTest : public testing::Test {
 protected:
  CallLimitsTest() {
    domain.name = "a.example";
    trunk.name = "carrier";
  }
  /// A place that is kept until the end of the test, or why there is none.
  std::optional<CallLimits::Full> enter(const tenant::Domain& where, const tenant::Trunk* by = nullptr) {
    auto place = limits.enter(where, by, now);
    if (!place) return place.error();
    places.push_back(std::move(*place));
    return std::nullopt;
  }
  bool enters() { return !enter(domain); }

  CallLimits limits;
  tenant::Domain domain;
  tenant::Trunk trunk;
  TimePoint now = Clock::now();
  std::vector<CallLimits::Place> places;
};

TEST_F(CallLimitsTest, WithoutALimitEverybodyEnters) {
  for (int at = 0; at < 1000; ++at) ASSERT_TRUE(enters());
}

TEST_F(CallLimitsTest, MaxCallsCountsThoseThatRun) {
  domain.limits.max_calls = 2;
  EXPECT_TRUE(enters());
  EXPECT_TRUE(enters());
  const auto full = enter(domain);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->retry_after, 10);
  EXPECT_EQ(full->what, "the domain a.example has its max_calls (2) at this moment");
  places.pop_back();
  EXPECT_TRUE(enters());
  EXPECT_FALSE(enters());
}

TEST_F(CallLimitsTest, APlaceIsLeftOnceHoweverItIsMoved) {
  domain.limits.max_calls = 2;
  auto first = *limits.enter(domain, nullptr, now);
  auto second = *limits.enter(domain, nullptr, now);
  auto moved = std::move(first);
  EXPECT_FALSE(enters());
  second = std::move(moved);  // the second one's own place is left
  EXPECT_TRUE(enters());
  EXPECT_FALSE(enters());
  first = CallLimits::Place();  // it has none any more
  EXPECT_FALSE(enters());
  second = CallLimits::Place();
  EXPECT_TRUE(enters());
  EXPECT_FALSE(enters());
}

TEST_F(CallLimitsTest, NobodyEntersWhereNoneIsAllowed) {
  domain.limits.max_calls = 0;
  EXPECT_FALSE(enters());
}

TEST_F(CallLimitsTest, DomainsAndTrunksAreCountedApart) {
  domain.limits.max_calls = trunk.limits.max_calls = 1;
  tenant::Domain other = domain;
  other.name = "b.example";
  tenant::Trunk second = trunk;
  second.name = "another";
  for (const auto* where : {&domain, &other}) {
    for (const tenant::Trunk* by : std::initializer_list<const tenant::Trunk*>{nullptr, &trunk, &second}) {
      EXPECT_FALSE(enter(*where, by)) << where->name;
      EXPECT_TRUE(enter(*where, by)) << where->name;
    }
  }
  EXPECT_EQ(enter(domain, &trunk)->what, "the trunk carrier has its max_calls (1) at this moment");
}

TEST_F(CallLimitsTest, ALimitThatIsSetLaterKnowsTheCallsThatRun) {
  EXPECT_TRUE(enters());
  EXPECT_TRUE(enters());
  tenant::Domain changed = domain;  // as after provisioning: another object of that name
  changed.limits.max_calls = 2;
  EXPECT_TRUE(enter(changed));
  changed.limits.max_calls = 3;
  EXPECT_FALSE(enter(changed));
  EXPECT_TRUE(enter(changed));
}

TEST_F(CallLimitsTest, CallsPerSecondLetsOneSecondsWorthInAtOnce) {
  domain.limits.calls_per_second = 5;
  for (int at = 0; at < 5; ++at) EXPECT_TRUE(enters());
  const auto full = enter(domain);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->retry_after, 1);
  EXPECT_EQ(full->what, "the domain a.example has had its calls_per_second");
  places.clear();  // that calls end makes no difference
  EXPECT_FALSE(enters());
  now += 200ms;
  EXPECT_TRUE(enters());
  EXPECT_FALSE(enters());
  now += 1h;  // no more is saved up than one second's worth
  for (int at = 0; at < 5; ++at) EXPECT_TRUE(enters());
  EXPECT_FALSE(enters());
}

TEST_F(CallLimitsTest, LessThanOneCallPerSecond) {
  domain.limits.calls_per_second = 0.1;
  EXPECT_TRUE(enters());
  EXPECT_EQ(enter(domain)->retry_after, 10);
  now += 9s;
  EXPECT_EQ(enter(domain)->retry_after, 1);
  now += 1001ms;
  EXPECT_TRUE(enters());
  domain.limits.calls_per_second = 0.001;
  EXPECT_EQ(enter(domain)->retry_after, 60) << "a minute at most";
}

TEST_F(CallLimitsTest, WhoComesBackAfterRetryAfterEnters) {
  for (const double rate : {0.03, 0.3, 0.7, 1.0, 3.0, 7.5}) {
    domain.name = std::to_string(rate);
    domain.limits.calls_per_second = rate;
    while (enters()) {
    }
    now += std::chrono::seconds(enter(domain)->retry_after);
    EXPECT_TRUE(enters()) << rate;
  }
}

TEST_F(CallLimitsTest, ATimeThatGoesBackGivesNothing) {
  domain.limits.calls_per_second = 1;
  EXPECT_TRUE(enters());
  now -= 1h;
  EXPECT_FALSE(enters());
}

TEST_F(CallLimitsTest, WhoIsRefusedForMaxCallsHasNotUsedUpTheRate) {
  domain.limits.max_calls = 1;
  domain.limits.calls_per_second = 2;
  EXPECT_TRUE(enters());
  for (int at = 0; at < 5; ++at) EXPECT_FALSE(enters());
  places.clear();
  EXPECT_TRUE(enters());
}

TEST_F(CallLimitsTest, ThePlaceOutlivesTheLimits) {
  std::optional<CallLimits> short_lived(std::in_place);
  auto place = *short_lived->enter(domain, nullptr, now);
  short_lived.reset();
  place = CallLimits::Place();
}

TEST_F(CallLimitsTest, AllShardsCountTogether) {
  domain.limits.max_calls = 100;
  std::atomic<int> entered{0};
  {
    std::vector<std::jthread> shards;
    for (int at = 0; at < 4; ++at) {
      shards.emplace_back([&] {
        std::vector<CallLimits::Place> mine;
        for (int call = 0; call < 500; ++call) {
          auto place = limits.enter(domain, nullptr, now);
          if (!place) continue;
          mine.push_back(std::move(*place));
          ++entered;
        }
        // Its calls end with the shard; others may enter then.
      });
    }
  }
  EXPECT_GE(entered, 100);
  for (int at = 0; at < 100; ++at) EXPECT_TRUE(enters());
  EXPECT_FALSE(enters()) << "each place was given back once";
}

}  // namespace
}  // namespace rw::call
