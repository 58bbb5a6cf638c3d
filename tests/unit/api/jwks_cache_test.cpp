#include "api/jwks_cache.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "unit/api/signer.h"

namespace rw::api {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// The clock of find() and renew() is the test's; what is fetched counts from the real one.
class JwksCacheTest : public testing::Test {
 protected:
  /// The next fetches end with these.
  void prepare(Result<FetchedJwks> result) {
    const std::lock_guard lock(mutex_);
    results_.push_back(std::move(result));
    changed_.notify_all();
  }
  void prepare_keys(seconds lifetime = seconds(3600)) { prepare(FetchedJwks{{}, lifetime}); }
  /// Runs the loop until the fetch under way has ended.
  void finish() {
    bool over = false;
    ASSERT_TRUE(cache_.wait(url, [&over] { over = true; }));
    while (!over) loop_.run_one();
    loop_.restart();
  }
  int fetches() {
    const std::lock_guard lock(mutex_);
    return fetches_;
  }
  static TimePoint in(Duration time) { return Clock::now() + time; }

  static inline const std::string url = "https://customer.example.com/keys";
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Result<FetchedJwks>> results_;
  int fetches_ = 0;
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ = boost::asio::make_work_guard(loop_);
  JwksCache cache_{loop_,
                   [this](const std::string&, const std::atomic<bool>& cancel) -> Result<FetchedJwks> {
                     std::unique_lock lock(mutex_);
                     ++fetches_;
                     while (results_.empty() && !cancel) changed_.wait_for(lock, std::chrono::milliseconds(10));
                     if (results_.empty()) return fail("given up");
                     auto result = std::move(results_.front());
                     results_.pop_front();
                     return result;
                   },
                   ops::Log(ops::Log::Format::text, ops::Level::error)};
};

TEST_F(JwksCacheTest, TheFirstRequestWaitsForTheKeys) {
  const auto first = cache_.find(url, in({}));
  EXPECT_EQ(first.keys, nullptr);
  EXPECT_TRUE(first.worth_waiting);
  prepare_keys();
  finish();
  const auto then = cache_.find(url, in({}));
  EXPECT_NE(then.keys, nullptr);
  EXPECT_FALSE(then.worth_waiting);
  EXPECT_FALSE(cache_.wait(url, [] {}));
  EXPECT_EQ(fetches(), 1);
}

TEST_F(JwksCacheTest, TheyAreFetchedAgainBeforeTheyAreOld) {
  prepare_keys(seconds(1000));
  cache_.find(url, in({}));
  finish();
  EXPECT_FALSE(cache_.find(url, in(seconds(790))).worth_waiting);
  EXPECT_EQ(fetches(), 1);
  const auto found = cache_.find(url, in(seconds(810)));  // ahead: nobody waits
  EXPECT_NE(found.keys, nullptr);
  EXPECT_FALSE(found.worth_waiting);
  EXPECT_TRUE(cache_.find(url, in(seconds(1010))).worth_waiting);  // too old: it's better to
  prepare_keys();
  finish();
  EXPECT_EQ(fetches(), 2);
}

TEST_F(JwksCacheTest, TheOldOnesHoldADayLongerWhileTheAddressIsAway) {
  prepare_keys(seconds(1000));
  cache_.find(url, in({}));
  finish();
  prepare(fail("away"));
  cache_.find(url, in(seconds(1010)));
  finish();
  const auto found = cache_.find(url, in(seconds(1020)));
  EXPECT_NE(found.keys, nullptr);
  EXPECT_FALSE(found.worth_waiting);
  EXPECT_NE(cache_.at_hand(url, in(hours(24))), nullptr);
  EXPECT_EQ(cache_.at_hand(url, in(hours(25))), nullptr);
  EXPECT_EQ(cache_.find(url, in(hours(25))).keys, nullptr);
  prepare_keys();
}

TEST_F(JwksCacheTest, AnAddressThatFailsIsAskedLessAndLess) {
  prepare(fail("away"));
  cache_.find(url, in({}));
  finish();
  EXPECT_FALSE(cache_.find(url, in(seconds(4))).worth_waiting);
  EXPECT_FALSE(cache_.renew(url, in(seconds(4))));
  EXPECT_EQ(fetches(), 1);
  prepare(fail("away"));
  EXPECT_TRUE(cache_.find(url, in(seconds(6))).worth_waiting);
  finish();
  EXPECT_FALSE(cache_.find(url, in(seconds(9))).worth_waiting);
  prepare_keys();
  EXPECT_TRUE(cache_.find(url, in(seconds(11))).worth_waiting);
  finish();
  EXPECT_NE(cache_.find(url, in({})).keys, nullptr);
}

TEST_F(JwksCacheTest, AnUnknownKeyIsLookedForOnceAMinute) {
  prepare_keys();
  cache_.find(url, in({}));
  finish();
  prepare_keys();
  EXPECT_TRUE(cache_.renew(url, in({})));
  EXPECT_TRUE(cache_.renew(url, in({})));  // that one is under way
  finish();
  EXPECT_FALSE(cache_.renew(url, in(seconds(59))));
  EXPECT_EQ(fetches(), 2);
  prepare_keys();
  EXPECT_TRUE(cache_.renew(url, in(seconds(61))));
  finish();
  EXPECT_EQ(fetches(), 3);
}

TEST_F(JwksCacheTest, SoManyMayWait) {
  cache_.find(url, in({}));
  std::size_t over = 0;
  for (std::size_t at = 0; at < JwksCache::most_waiting; ++at) EXPECT_TRUE(cache_.wait(url, [&over] { ++over; }));
  EXPECT_FALSE(cache_.wait(url, [] {}));
  prepare_keys();
  while (over < JwksCache::most_waiting) loop_.run_one();
}

TEST_F(JwksCacheTest, WhatNobodyNamesAnyMoreIsForgotten) {
  prepare_keys();
  cache_.find(url, in({}));
  finish();
  cache_.keep({url});
  EXPECT_NE(cache_.at_hand(url, in({})), nullptr);
  cache_.keep({});
  EXPECT_EQ(cache_.at_hand(url, in({})), nullptr);
}

TEST_F(JwksCacheTest, AtTheEndNobodyWaits) {
  cache_.find(url, in({}));
  bool over = false;
  cache_.wait(url, [&over] { over = true; });
  cache_.stop();
  while (!over) loop_.run_one();
  EXPECT_FALSE(cache_.find(url, in({})).worth_waiting);
}

}  // namespace
}  // namespace rw::api
