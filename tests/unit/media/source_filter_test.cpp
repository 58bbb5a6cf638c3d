#include "media/source_filter.h"

#include <gtest/gtest.h>

namespace rw::media {
namespace {

using namespace std::chrono_literals;

const TimePoint start{};
net::Address at(const char* host, std::uint16_t port) {
  return *net::Address::from(host, port);
}

TEST(SourceFilter, TakesTheSignalledAddressAtAnyTime) {
  for (const Latch latch : {Latch::any, Latch::same_address, Latch::off}) {
    SourceFilter filter(latch);
    filter.configure(at("10.0.0.1", 4000), start);
    filter.answered(start);
    EXPECT_TRUE(filter.accept(at("10.0.0.1", 4000), start + 1h));
    EXPECT_FALSE(filter.accept(at("10.0.0.2", 4000), start + 1h));
  }
}

TEST(SourceFilter, OnceTheSignalledAddressHasSpokenNobodyElseMay) {
  SourceFilter filter(Latch::any);
  filter.configure(at("10.0.0.1", 4000), start);
  filter.answered(start);
  EXPECT_TRUE(filter.accept(at("10.0.0.1", 4000), start));
  EXPECT_FALSE(filter.accept(at("10.0.0.2", 5000), start + 1s));
  EXPECT_FALSE(filter.is_latched());
}

TEST(SourceFilter, LatchesWithinFiveSecondsOfTheAnswer) {
  SourceFilter filter(Latch::any);
  filter.configure(at("10.0.0.1", 4000), start);
  EXPECT_FALSE(filter.accept(at("10.0.0.2", 5000), start)) << "not answered yet";
  filter.answered(start + 10s);
  EXPECT_FALSE(filter.accept(at("10.0.0.2", 5000), start + 16s)) << "too late";
  filter.answered(start + 20s);
  EXPECT_TRUE(filter.accept(at("10.0.0.2", 5000), start + 24s));
  EXPECT_TRUE(filter.is_latched());
  EXPECT_EQ(filter.remote(), at("10.0.0.2", 5000));
  EXPECT_FALSE(filter.accept(at("10.0.0.1", 4000), start + 24s)) << "fixed";
  EXPECT_FALSE(filter.accept(at("10.0.0.2", 5002), start + 24s)) << "another port is another source";
  EXPECT_TRUE(filter.accept(at("10.0.0.2", 5000), start + 2h));
  EXPECT_TRUE(filter.accept_rtcp(at("10.0.0.2", 9)));
  EXPECT_FALSE(filter.accept_rtcp(at("10.0.0.1", 4001)));
}

TEST(SourceFilter, SameAddressAllowsAnotherPortOnly) {
  SourceFilter filter(Latch::same_address);
  filter.configure(at("10.0.0.1", 4000), start);
  filter.answered(start);
  EXPECT_FALSE(filter.accept(at("10.0.0.2", 4000), start));
  EXPECT_TRUE(filter.accept(at("10.0.0.1", 4002), start));
}

TEST(SourceFilter, OffNeverLatches) {
  SourceFilter filter(Latch::off);
  filter.configure(at("10.0.0.1", 4000), start);
  filter.answered(start);
  EXPECT_FALSE(filter.accept(at("10.0.0.1", 4002), start));
}

TEST(SourceFilter, ANewExchangeForgetsTheSource) {
  SourceFilter filter(Latch::any);
  filter.configure(at("10.0.0.1", 4000), start);
  filter.answered(start);
  ASSERT_TRUE(filter.accept(at("10.0.0.2", 5000), start));
  filter.configure(at("10.0.0.3", 6000), start + 1h);
  EXPECT_EQ(filter.remote(), at("10.0.0.3", 6000));
  EXPECT_FALSE(filter.accept(at("10.0.0.2", 5000), start + 1h + 6s));
  EXPECT_TRUE(filter.accept(at("10.0.0.3", 6000), start + 1h + 6s));
}

}  // namespace
}  // namespace rw::media
