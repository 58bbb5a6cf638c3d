#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "media/leg.h"

namespace rw::media {
namespace {

using namespace std::chrono_literals;

/// A leg whose other side may be somebody whom a stranger has named.
class UnconfirmedTest : public testing::Test {
 protected:
  UnconfirmedTest() {
    LegParameters parameters;
    parameters.remote = party;
    parameters.remote_rtcp = *net::Address::parse("192.0.2.1:6001");
    parameters.receive = {{8, rtp::Codec::pcma}};
    leg.configure(std::move(parameters), now);
  }
  /// Whether anything is sent in this frame.
  bool sends() {
    std::array<std::uint8_t, 1500> packet{};
    now += 20ms;
    const auto length = leg.next_packet(packet, now);
    leg.packet_sent();
    return length > 0;
  }
  void hear(std::vector<std::uint8_t> datagram) {
    Counters counters;
    leg.receive_rtp(datagram, party, now, counters);
  }
  static std::vector<std::uint8_t> speech() {
    std::vector<std::uint8_t> packet{0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7};
    packet.resize(12 + 160, 0xd5);
    return packet;
  }
  bool reports() {
    std::array<std::uint8_t, 1500> packet{};
    Counters counters;
    return leg.write_report(packet, now, 1, true, counters) > 0;
  }

  std::vector<Event> events;
  Leg leg{1, [this](const Event& event) { events.push_back(event); }, Latch::any, 60s, {}};
  net::Address party = *net::Address::parse("192.0.2.1:6000");
  TimePoint now = Clock::now();
};

TEST_F(UnconfirmedTest, SendingStopsInTimeAndComesBackWithRtp) {
  leg.expect_confirmation(100ms, now);
  for (int at = 0; at < 4; ++at) EXPECT_TRUE(sends()) << at;
  EXPECT_FALSE(sends());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Unconfirmed>(events[0]));
  for (int at = 0; at < 100; ++at) EXPECT_FALSE(sends()) << at;
  EXPECT_FALSE(reports());
  EXPECT_EQ(events.size(), 1U) << "it is told once";
  hear({0x12, 0x34, 0x81, 0x81, 0, 1, 0, 0, 0, 0, 0, 0, 1});
  EXPECT_FALSE(sends()) << "a server of another kind may answer what it was sent";
  hear(speech());
  EXPECT_TRUE(sends());
  EXPECT_TRUE(reports());
  leg.expect_confirmation(0ms, now);
  EXPECT_TRUE(sends()) << "it is known to be there";
}

TEST_F(UnconfirmedTest, WhatSipConfirmsGoesOn) {
  leg.expect_confirmation(100ms, now);
  leg.confirm();
  for (int at = 0; at < 100; ++at) EXPECT_TRUE(sends()) << at;
  EXPECT_TRUE(events.empty());
}

TEST_F(UnconfirmedTest, AnAnswerBeginsAnotherTime) {
  leg.expect_confirmation(1s, now);
  EXPECT_TRUE(sends());
  leg.expect_confirmation(60ms, now);
  EXPECT_TRUE(sends());
  EXPECT_TRUE(sends());
  EXPECT_FALSE(sends());
  leg.confirm();
  EXPECT_TRUE(sends());
}

TEST_F(UnconfirmedTest, WhereNothingMayBeSentNothingIsUntilAnotherSourceIsLatched) {
  LegParameters parameters;
  parameters.remote = party;
  parameters.remote_rtcp = *net::Address::parse("192.0.2.1:6001");
  parameters.remote_allowed = false;
  parameters.receive = {{8, rtp::Codec::pcma}};
  leg.configure(std::move(parameters), now);
  leg.start_timeout_watch(now);
  for (int at = 0; at < 10; ++at) EXPECT_FALSE(sends()) << at;
  EXPECT_FALSE(reports());
  hear(speech());  // from there itself: heard, but not answered
  EXPECT_FALSE(sends());
}

TEST_F(UnconfirmedTest, AFloodOfKeysIsNotToldOfToTheCalls) {
  LegParameters parameters;
  parameters.remote = party;
  parameters.receive = {{8, rtp::Codec::pcma}};
  parameters.telephone_event_receive = {{101, 8000}};
  leg.configure(std::move(parameters), now);
  for (std::uint16_t at = 0; at < 5000; ++at) {
    const auto high = static_cast<std::uint8_t>(at >> 8U), low = static_cast<std::uint8_t>(at & 0xffU);
    hear({0x80, 0xe5, high, low, high, low, 0, 0, 0, 0, 0, 7, 1, 0x8a, 0, 100});
  }
  EXPECT_GE(events.size(), 20U);
  EXPECT_LE(events.size(), 100U);
}

}  // namespace
}  // namespace rw::media
