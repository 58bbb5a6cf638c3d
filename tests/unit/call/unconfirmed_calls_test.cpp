#include "call/unconfirmed_calls.h"

#include <gtest/gtest.h>

#include <vector>

namespace rw::call {
namespace {

net::Address from(const char* host, std::uint16_t port = 5060) {
  return *net::Address::from(host, port);
}

TEST(UnconfirmedCalls, ASourceAndATrunkHaveTheirOwnPlaces) {
  UnconfirmedCalls calls({.per_source = 2, .per_trunk = 3});
  std::vector<UnconfirmedCalls::Place> places;
  const auto enters = [&](const char* host, const char* domain, const char* trunk) {
    auto place = calls.enter(from(host, static_cast<std::uint16_t>(1024 + places.size())), domain, trunk);
    const bool taken = place.taken();
    if (taken) places.push_back(std::move(place));
    return taken;
  };
  EXPECT_TRUE(enters("192.0.2.1", "a", "t"));
  EXPECT_TRUE(enters("192.0.2.1", "b", ""));
  EXPECT_FALSE(enters("192.0.2.1", "c", "")) << "whatever it calls, and from whichever port";
  EXPECT_TRUE(enters("192.0.2.2", "a", "t"));
  EXPECT_TRUE(enters("192.0.2.3", "a", "t"));
  EXPECT_FALSE(enters("192.0.2.4", "a", "t")) << "the trunk has its three";
  EXPECT_TRUE(enters("192.0.2.4", "a", "u"));
  EXPECT_TRUE(enters("2001:db8::1", "b", ""));
  EXPECT_TRUE(enters("2001:db8::2", "b", ""));
  EXPECT_FALSE(enters("2001:db8::3", "c", "")) << "one /64 is one source";
  places.front().leave();
  EXPECT_TRUE(enters("192.0.2.1", "a", "t"));
  EXPECT_FALSE(enters("192.0.2.1", "d", ""));
}

TEST(UnconfirmedCalls, APlaceIsLeftOnce) {
  UnconfirmedCalls calls({.per_source = 1, .per_trunk = 1});
  auto place = calls.enter(from("192.0.2.1"), "a", "");
  auto moved = std::move(place);
  EXPECT_FALSE(calls.enter(from("192.0.2.1"), "a", "").taken());
  moved.leave();
  moved.leave();
  auto next = calls.enter(from("192.0.2.1"), "a", "");
  EXPECT_TRUE(next.taken());
  EXPECT_FALSE(calls.enter(from("192.0.2.2"), "a", "").taken());
  next = UnconfirmedCalls::Place();
  EXPECT_TRUE(calls.enter(from("192.0.2.2"), "a", "").taken());
}

TEST(UnconfirmedCalls, WithoutLimitsEverybodyEnters) {
  UnconfirmedCalls calls;
  std::vector<UnconfirmedCalls::Place> places;
  for (int at = 0; at < 100; ++at) {
    places.push_back(calls.enter(from("192.0.2.1"), "a", "t"));
    EXPECT_TRUE(places.back().taken());
  }
}

}  // namespace
}  // namespace rw::call
