#include "api/request_limits.h"

#include <gtest/gtest.h>

namespace rw::api {
namespace {

using namespace std::chrono_literals;

net::Address client(const std::string& host) {
  return *net::Address::from(host, 4711);
}

TEST(RequestLimits, CountsEachDomainByItself) {
  RequestLimits limits(0);
  tenant::Domain one, other;
  one.name = "one.test";
  one.requests_per_second = 2;
  other.name = "other.test";
  const TimePoint now{};
  EXPECT_FALSE(limits.over_rate(one, now));
  EXPECT_FALSE(limits.over_rate(one, now));
  EXPECT_EQ(limits.over_rate(one, now), 1);
  for (int at = 0; at < 100; ++at) EXPECT_FALSE(limits.over_rate(other, now));
  EXPECT_FALSE(limits.over_rate(one, now + 500ms));
}

TEST(RequestLimits, AClientIsBarredUntilItsMinuteIsOver) {
  RequestLimits limits(3);
  const TimePoint now{};
  EXPECT_FALSE(limits.failed(client("192.0.2.1"), now));
  EXPECT_FALSE(limits.failed(client("192.0.2.1"), now + 10s));
  EXPECT_FALSE(limits.barred(client("192.0.2.1"), now + 10s));
  EXPECT_TRUE(limits.failed(client("192.0.2.1"), now + 20s)) << "these were the last";
  EXPECT_EQ(limits.barred(client("192.0.2.1"), now + 20s), 40);
  EXPECT_EQ(limits.barred(client("192.0.2.1"), now + 59500ms), 1);
  EXPECT_FALSE(limits.barred(client("192.0.2.2"), now + 20s));
  EXPECT_FALSE(limits.barred(client("192.0.2.1"), now + 60s));
  EXPECT_FALSE(limits.failed(client("192.0.2.1"), now + 60s)) << "it begins anew";
}

TEST(RequestLimits, AnIpv6NetworkOf64BitsIsOneClient) {
  RequestLimits limits(1);
  EXPECT_TRUE(limits.failed(client("2001:db8::1"), TimePoint{}));
  EXPECT_TRUE(limits.barred(client("2001:db8::ffff:1"), TimePoint{}));
  EXPECT_FALSE(limits.barred(client("2001:db8:0:1::1"), TimePoint{}));
}

TEST(RequestLimits, ManyClientsMakeTheOldestForgotten) {
  RequestLimits limits(1);
  TimePoint now{};
  for (std::size_t at = 0; at <= RequestLimits::most_clients; ++at)
    limits.failed(
        client("10." + std::to_string(at >> 16) + "." + std::to_string(at >> 8 & 255) + "." + std::to_string(at & 255)),
        now);
  EXPECT_FALSE(limits.barred(client("10.0.0.0"), now));
  EXPECT_TRUE(limits.barred(client("10.0.0.1"), now));
}

TEST(RequestLimits, ZeroBarsNobody) {
  RequestLimits limits(0);
  for (int at = 0; at < 1000; ++at) EXPECT_FALSE(limits.failed(client("192.0.2.1"), TimePoint{}));
  EXPECT_FALSE(limits.barred(client("192.0.2.1"), TimePoint{}));
}

}  // namespace
}  // namespace rw::api
