#include "media/source_filter.h"

#include <gtest/gtest.h>

namespace rw::media {
namespace {

using namespace std::chrono_literals;

const TimePoint start{};
net::Address at(const char* host, std::uint16_t port) {
  return *net::Address::from(host, port);
}
const net::Address signalled = at("10.0.0.1", 4000), moved = at("10.0.0.3", 6000);
const net::Address other = at("10.0.0.2", 5000), stranger = at("10.9.9.9", 9000);

class SourceFilterTest : public ::testing::Test {
 protected:
  /// A filter for an answered leg whose other side is at `signalled`.
  void begin(Latch latch = Latch::any) {
    filter_.emplace(latch);
    filter_->configure(signalled, start);
    filter_->answered(start);
  }
  bool accept(const net::Address& from, std::uint16_t sequence, TimePoint now, std::uint32_t ssrc = 1,
              bool negotiated = true) {
    rtp::Packet packet;
    packet.sequence = sequence;
    packet.ssrc = ssrc;
    return filter_->accept(from, packet, negotiated, now);
  }
  bool accept(const net::Address& from, TimePoint now) { return accept(from, sequence_++, now); }
  /// Whether the last of so many packets in sequence is accepted.
  bool stream(const net::Address& from, TimePoint now, int packets = SourceFilter::packets_to_latch) {
    bool accepted = false;
    for (int i = 0; i < packets; ++i) accepted = accept(from, now);
    return accepted;
  }

  std::optional<SourceFilter> filter_;
  std::uint16_t sequence_ = 65533;
};

TEST_F(SourceFilterTest, TakesTheSignalledAddressAtAnyTime) {
  for (const Latch latch : {Latch::any, Latch::same_address, Latch::off}) {
    begin(latch);
    EXPECT_TRUE(accept(signalled, start + 1h));
    EXPECT_FALSE(stream(other, start + 1h));
  }
}

TEST_F(SourceFilterTest, LatchesOnlyWhereSomethingMayBeSent) {
  const net::TargetPolicy targets;
  filter_.emplace(Latch::any, &targets);
  filter_->configure(signalled, start);
  filter_->answered(start);
  EXPECT_FALSE(stream(at("10.0.0.2", 53), start, 100));
  EXPECT_FALSE(stream(at("169.254.1.1", 5000), start, 100));
  EXPECT_TRUE(stream(other, start));
}

TEST_F(SourceFilterTest, OnceTheSignalledAddressHasSpokenNobodyElseMay) {
  begin();
  EXPECT_TRUE(accept(signalled, start));
  EXPECT_FALSE(stream(other, start + 1s, 100));
  EXPECT_FALSE(filter_->is_latched());
}

TEST_F(SourceFilterTest, LatchesAStreamWithinFiveSecondsOfTheAnswer) {
  filter_.emplace(Latch::any);
  filter_->configure(signalled, start);
  EXPECT_FALSE(stream(other, start)) << "not answered yet";
  filter_->answered(start + 10s);
  EXPECT_FALSE(stream(other, start + 10s, 3)) << "too few";
  EXPECT_EQ(filter_->remote(), signalled);
  EXPECT_TRUE(accept(other, start + 14s));
  EXPECT_TRUE(filter_->is_latched());
  EXPECT_EQ(filter_->remote(), other);
  EXPECT_FALSE(stream(at("10.0.0.2", 5002), start + 14s)) << "another port is another source";
  EXPECT_TRUE(accept(other, start + 2h));
}

TEST_F(SourceFilterTest, FiveSecondsAfterTheAnswerIsTooLateAndAnotherAnswerBringsNoMore) {
  begin();
  EXPECT_FALSE(stream(other, start + 6s));
  filter_->answered(start + 10s);
  EXPECT_FALSE(stream(other, start + 11s));
}

TEST_F(SourceFilterTest, TheSignalledAddressTakesOverFromALatchedSourceForGood) {
  begin();
  ASSERT_TRUE(stream(stranger, start));
  EXPECT_TRUE(accept(signalled, start + 1s));
  EXPECT_EQ(filter_->remote(), signalled);
  EXPECT_FALSE(stream(stranger, start + 1s, 100));
  EXPECT_EQ(filter_->remote(), signalled);
}

TEST_F(SourceFilterTest, WhatIsNoStreamIsNotLatched) {
  begin();
  for (std::uint16_t i = 0; i < 40; ++i) {
    EXPECT_FALSE(accept(other, static_cast<std::uint16_t>(i * 7), start)) << "sequence numbers that jump";
    EXPECT_FALSE(accept(other, i, start, i)) << "an SSRC for each packet";
    EXPECT_FALSE(accept(stranger, i, start, 1, false)) << "not negotiated";
    EXPECT_FALSE(accept(moved, 5, start)) << "one packet again and again";
  }
}

TEST_F(SourceFilterTest, ADoubledPacketDoesNotBreakASequence) {
  begin();
  for (const std::uint16_t number : {65534, 65534, 65535, 0, 0}) EXPECT_FALSE(accept(other, number, start));
  EXPECT_TRUE(accept(other, 1, start));
}

TEST_F(SourceFilterTest, ManyWhoTryDoNotKeepOutWhoFits) {
  begin();
  const net::Address caller = at("10.0.0.1", 4444);
  for (std::uint16_t i = 0; i < 3; ++i) {
    EXPECT_FALSE(accept(caller, i, start));
    for (std::uint16_t port = 1000; port < 1100; ++port) EXPECT_FALSE(accept(at("10.9.9.9", port), i, start));
  }
  EXPECT_TRUE(accept(caller, 3, start));
}

TEST_F(SourceFilterTest, WhoFitsTakesThePlaceOfWhoWasFirst) {
  begin();
  const net::Address caller = at("10.0.0.1", 4444);
  ASSERT_TRUE(stream(stranger, start));
  EXPECT_FALSE(stream(other, start + 1s)) << "fits no better";
  EXPECT_TRUE(stream(caller, start + 1s)) << "on the host that was signalled";
  EXPECT_EQ(filter_->remote(), caller);
  EXPECT_FALSE(stream(stranger, start + 2s));
  EXPECT_TRUE(accept(signalled, start + 1h));
}

TEST_F(SourceFilterTest, RtcpComesFromTheHostOfEither) {
  begin();
  ASSERT_TRUE(stream(other, start));
  EXPECT_TRUE(filter_->accept_rtcp(at("10.0.0.2", 9)));
  EXPECT_TRUE(filter_->accept_rtcp(at("10.0.0.1", 4001)));
  EXPECT_FALSE(filter_->accept_rtcp(stranger));
  EXPECT_TRUE(accept(signalled, start));
  EXPECT_FALSE(filter_->accept_rtcp(at("10.0.0.2", 9)));
}

TEST_F(SourceFilterTest, SameAddressAllowsAnotherPortOnly) {
  begin(Latch::same_address);
  EXPECT_FALSE(stream(at("10.0.0.2", 4000), start));
  EXPECT_TRUE(stream(at("10.0.0.1", 4002), start));
}

TEST_F(SourceFilterTest, OffNeverLatches) {
  begin(Latch::off);
  EXPECT_FALSE(stream(at("10.0.0.1", 4002), start));
}

TEST_F(SourceFilterTest, TheSameAddressAgainChangesNothing) {
  begin();
  ASSERT_TRUE(stream(other, start));
  filter_->configure(signalled, start + 1h);
  EXPECT_EQ(filter_->remote(), other);
  EXPECT_TRUE(accept(other, start + 1h));

  begin();
  ASSERT_TRUE(accept(signalled, start));
  filter_->configure(signalled, start + 1h);
  EXPECT_FALSE(stream(stranger, start + 1h, 100)) << "no new time for latching";

  begin();
  filter_->configure(signalled, start + 1h);
  EXPECT_FALSE(stream(stranger, start + 1h, 100)) << "though nobody has spoken";
}

TEST_F(SourceFilterTest, AHoldWithoutAnAddressChangesNothing) {
  begin();
  ASSERT_TRUE(stream(other, start));
  filter_->configure(at("0.0.0.0", 4000), start + 1h);
  filter_->configure(signalled, start + 2h);
  EXPECT_EQ(filter_->remote(), other);
  EXPECT_TRUE(accept(other, start + 2h));
}

TEST_F(SourceFilterTest, AHeldOfferNamesItsAddressLater) {
  filter_.emplace(Latch::any);
  filter_->configure(at("0.0.0.0", 4000), start);
  filter_->answered(start);
  filter_->configure(signalled, start + 1h);
  EXPECT_EQ(filter_->remote(), signalled);
  EXPECT_TRUE(stream(other, start + 1h));
}

TEST_F(SourceFilterTest, WhatAnOfferHasSupersededIsNotLatchedAgain) {
  begin();
  ASSERT_TRUE(stream(other, start));
  filter_->configure(moved, start + 1h);
  EXPECT_EQ(filter_->remote(), moved);
  EXPECT_FALSE(stream(signalled, start + 1h, 100)) << "the former address";
  EXPECT_FALSE(stream(other, start + 1h, 100)) << "and who was latched then";
  EXPECT_EQ(filter_->remote(), moved);
  EXPECT_TRUE(accept(moved, start + 1h));
  filter_->configure(at("10.0.0.4", 7000), start + 2h);
  EXPECT_FALSE(stream(signalled, start + 2h, 100)) << "nor after one more change";
  EXPECT_FALSE(stream(moved, start + 2h, 100));
}

TEST_F(SourceFilterTest, ANewAddressMayBeBehindANatToo) {
  begin(Latch::any);
  ASSERT_TRUE(accept(signalled, start));
  filter_->configure(moved, start + 1h);
  EXPECT_TRUE(stream(stranger, start + 1h + 4s));
  const net::Address near_the_former = at("10.0.0.1", 4004);
  EXPECT_TRUE(stream(near_the_former, start + 1h + 5s)) << "fits better";
  EXPECT_TRUE(stream(at("10.0.0.3", 6002), start + 1h + 5s)) << "fits best";
  EXPECT_FALSE(stream(near_the_former, start + 1h + 5s));
}

TEST_F(SourceFilterTest, WhoComesBackMayComeFromWhereItCameBefore) {
  begin();
  ASSERT_TRUE(stream(other, start));
  filter_->configure(moved, start + 1h);
  ASSERT_TRUE(accept(moved, start + 1h));
  filter_->configure(signalled, start + 2h);
  EXPECT_FALSE(stream(moved, start + 2h));
  EXPECT_TRUE(stream(other, start + 2h));
}

TEST_F(SourceFilterTest, AChangeBeforeTheAnswerLeavesTheTimeForLatchingToTheAnswer) {
  filter_.emplace(Latch::any);
  filter_->configure(signalled, start);
  EXPECT_TRUE(accept(signalled, start));
  filter_->configure(moved, start + 30s);
  EXPECT_FALSE(stream(other, start + 30s));
  filter_->answered(start + 30s);
  EXPECT_FALSE(stream(signalled, start + 31s, 100)) << "still on its way";
  EXPECT_TRUE(stream(other, start + 31s));
}

}  // namespace
}  // namespace rw::media
