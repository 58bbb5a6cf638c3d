#include "media/port_pool.h"

#include <gtest/gtest.h>

#include <set>

namespace rw::media {
namespace {

using namespace std::chrono_literals;

const TimePoint start{};

TEST(PortPool, GivesEachEvenPortOnce) {
  PortPool pool(1001, 1010, 30s, 1);
  EXPECT_EQ(pool.size(), 4U);  // 1010 has no partner in the range
  std::set<std::uint16_t> ports;
  while (const auto port = pool.take(start)) ports.insert(*port);
  EXPECT_EQ(ports, (std::set<std::uint16_t>{1002, 1004, 1006, 1008}));
  EXPECT_EQ(pool.in_use(), 4U);
}

TEST(PortPool, APortRestsBeforeItIsUsedAgain) {
  PortPool pool(1000, 1001, 30s, 1);
  const auto port = pool.take(start);
  ASSERT_EQ(port, 1000);
  pool.give_back(*port, start);
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_EQ(pool.resting(start + 29s), 1U);
  EXPECT_FALSE(pool.take(start + 29s));
  EXPECT_EQ(pool.resting(start + 30s), 0U);
  EXPECT_EQ(pool.take(start + 30s), 1000);
  EXPECT_EQ(pool.in_use(), 1U);
}

TEST(PortPool, TheRangeMayBeEmptyOrReachTheEnd) {
  EXPECT_EQ(PortPool(10, 9, 1s, 1).size(), 0U);
  EXPECT_EQ(PortPool(7, 7, 1s, 1).size(), 0U);
  EXPECT_EQ(PortPool(65534, 65535, 1s, 1).take(start), 65534);
  EXPECT_EQ(PortPool(65535, 65535, 1s, 1).size(), 0U);
  EXPECT_EQ(PortPool(0, 3, 1s, 1).size(), 1U);
}

}  // namespace
}  // namespace rw::media
