#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <vector>

#include "rtp/codec.h"
#include "rtp/jitter_buffer.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "rtp/telephone_event.h"
#include "rtp/wire.h"

namespace rw::rtp {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes datagram(std::initializer_list<int> start, std::size_t more = 0) {
  Bytes bytes;
  for (const int byte : start) bytes.push_back(static_cast<std::uint8_t>(byte));
  bytes.resize(bytes.size() + more);
  return bytes;
}

TEST(Packet, IsReadBackAsItWasWritten) {
  const Bytes payload{1, 2, 3};
  Packet packet{8, true, 65535, 0xdeadbeef, 42, payload};
  std::array<std::uint8_t, 64> bytes{};
  const auto length = packet.write(bytes);
  ASSERT_EQ(length, 15U);
  const auto read = Packet::parse(std::span(bytes).first(length));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->payload_type, 8);
  EXPECT_TRUE(read->marker);
  EXPECT_EQ(read->sequence, 65535);
  EXPECT_EQ(read->timestamp, 0xdeadbeefU);
  EXPECT_EQ(read->ssrc, 42U);
  EXPECT_EQ(Bytes(read->payload.begin(), read->payload.end()), payload);
}

TEST(Packet, SkipsSourcesExtensionAndPadding) {
  auto bytes = datagram({0xb1, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 5, 6, 0, 2});
  const auto packet = Packet::parse(bytes);
  ASSERT_TRUE(packet);
  EXPECT_EQ(Bytes(packet->payload.begin(), packet->payload.end()), (Bytes{5, 6}));
}

TEST(Packet, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(Packet::parse({}));
  EXPECT_FALSE(Packet::parse(datagram({0x80}, 10)));
  EXPECT_FALSE(Packet::parse(datagram({0x40}, 11)));  // version 1
  EXPECT_FALSE(Packet::parse(datagram({0x8f}, 11)));  // 15 sources are announced
  EXPECT_FALSE(Packet::parse(datagram({0x90}, 11)));  // an extension is announced
  auto padded = datagram({0xa0}, 12);
  padded.back() = 200;
  EXPECT_FALSE(Packet::parse(padded));
  std::array<std::uint8_t, 12> small{};
  const Bytes payload(1);
  EXPECT_EQ((Packet{8, false, 0, 0, 0, payload}).write(small), 0U);
}

/// One packet of an event: the digit with this number, begun at `timestamp`.
std::optional<char> press(TelephoneEventReceiver& receiver, int event, std::uint32_t timestamp, bool marker = false,
                          bool end = false) {
  const Bytes payload = datagram({event, end ? 0x8a : 0x0a, 0, 160});
  return receiver.receive(Packet{101, marker, 0, timestamp, 1, payload});
}

TEST(TelephoneEventReceiver, ReportsADigitOnceWithOrWithoutMarkerAndEnd) {
  TelephoneEventReceiver receiver;
  EXPECT_EQ(press(receiver, 5, 1000), '5');
  EXPECT_FALSE(press(receiver, 5, 1000));
  EXPECT_FALSE(press(receiver, 5, 1000, false, true));
  EXPECT_EQ(press(receiver, 5, 3000, true), '5');          // the end of the first was lost
  EXPECT_EQ(press(receiver, 11, 5000, false, true), '#');  // only an end packet arrived
}

TEST(TelephoneEventReceiver, IsNotFooledByReordering) {
  TelephoneEventReceiver receiver;
  EXPECT_EQ(press(receiver, 1, 1000), '1');
  EXPECT_EQ(press(receiver, 2, 3000), '2');
  EXPECT_FALSE(press(receiver, 1, 1000, false, true));
  EXPECT_FALSE(press(receiver, 2, 3000));
}

TEST(TelephoneEventReceiver, IgnoresOtherEventsAndShortPackets) {
  TelephoneEventReceiver receiver;
  EXPECT_FALSE(press(receiver, 16, 1000));
  const Bytes shorter{5, 0};
  EXPECT_FALSE(receiver.receive(Packet{101, false, 0, 1, 1, shorter}));
}

TEST(TelephoneEventSender, GrowsAndEndsThreeTimes) {
  TelephoneEventSender sender('#', std::chrono::milliseconds(100));
  std::vector<TelephoneEventSender::Step> steps;
  while (const auto step = sender.next()) steps.push_back(*step);
  ASSERT_EQ(steps.size(), 7U);
  EXPECT_TRUE(steps[0].marker);
  EXPECT_FALSE(steps[1].marker);
  EXPECT_EQ(steps[0].payload[0], 11);
  EXPECT_EQ(read16(&steps[0].payload[2]), 160);
  EXPECT_EQ(steps[3].payload[1] & 0x80, 0);
  for (std::size_t at = 4; at < 7; ++at) {
    EXPECT_NE(steps[at].payload[1] & 0x80, 0);
    EXPECT_EQ(read16(&steps[at].payload[2]), 800);
  }
}

TEST(ReceiverStatistics, CountsLossOverWrapAround) {
  ReceiverStatistics statistics;
  for (std::uint32_t at = 65530; at < 65530 + 20; ++at) {
    if (at % 5 != 0) statistics.received(7, static_cast<std::uint16_t>(at), at * 160, at * 160);
  }
  const auto report = statistics.report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->cumulative_lost, 3);  // the first loss was before the first packet
  EXPECT_EQ(report->highest_sequence, 65549U);
  EXPECT_EQ(report->jitter, 0U);
  EXPECT_EQ(statistics.report()->fraction_lost, 0);
}

TEST(ReceiverStatistics, BeginsAnewWithAnotherSource) {
  ReceiverStatistics statistics;
  statistics.received(7, 1, 0, 0);
  statistics.received(8, 40000, 0, 0);
  EXPECT_EQ(statistics.report()->ssrc, 8U);
  EXPECT_EQ(statistics.lost(), 0U);
}

TEST(Rtcp, AReportIsReadBack) {
  std::array<std::uint8_t, 256> bytes{};
  ReceiverStatistics::Report about;
  about.ssrc = 9;
  about.cumulative_lost = -1;
  const auto length = write_report(bytes, 1, SenderInfo{0x1122334455667788, 3, 4, 5}, about, {}, "user@host", true);
  ASSERT_GT(length, 0U);
  EXPECT_EQ(length % 4, 0U);
  const auto summary = parse_rtcp(std::span(bytes).first(length));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->sender_ntp_middle, 0x33445566U);
  EXPECT_TRUE(summary->goodbye);
  EXPECT_TRUE(is_rtcp(bytes));
  EXPECT_EQ(write_report(std::span(bytes).first(19), 1, std::nullopt, std::nullopt, {}, "c", false), 0U);
}

TEST(Rtcp, RefusesWhatIsNotACompoundPacket) {
  EXPECT_FALSE(parse_rtcp({}));
  EXPECT_FALSE(parse_rtcp(datagram({0x80, 202, 0, 0})));              // does not begin with a report
  EXPECT_FALSE(parse_rtcp(datagram({0x80, 200, 0, 1, 0, 0, 0, 0})));  // a sender report without its info
  EXPECT_FALSE(parse_rtcp(datagram({0x80, 201, 0, 9, 0, 0, 0, 0})));  // longer than the datagram
}

class JitterBufferTest : public testing::Test {
 protected:
  void put(int sequence) {
    const Bytes frame(160, static_cast<std::uint8_t>(sequence));
    buffer.put(static_cast<std::uint16_t>(sequence), frame);
  }
  /// The number of the frame taken, -1 lost, -2 empty.
  int take() {
    const auto taken = buffer.take();
    if (taken.state == JitterBuffer::State::lost) return -1;
    return taken.state == JitterBuffer::State::empty ? -2 : taken.payload[0];
  }
  JitterBuffer buffer;
};

TEST_F(JitterBufferTest, OrdersFramesAndDropsDuplicates) {
  put(1);
  EXPECT_EQ(take(), -2);
  put(3);
  put(2);
  put(2);
  EXPECT_EQ(take(), 1);
  EXPECT_EQ(take(), 2);
  EXPECT_EQ(take(), 3);
  EXPECT_EQ(take(), -2);
}

TEST_F(JitterBufferTest, SaysWhatIsLost) {
  put(1);
  put(2);
  put(4);
  EXPECT_EQ(take(), 1);
  EXPECT_EQ(take(), 2);
  EXPECT_EQ(take(), -1);
  EXPECT_EQ(take(), 4);
}

TEST_F(JitterBufferTest, AFrameThatComesTooLateIsDropped) {
  put(1);
  put(3);
  EXPECT_EQ(take(), 1);
  EXPECT_EQ(take(), -1);
  put(2);
  EXPECT_EQ(take(), 3);
}

TEST_F(JitterBufferTest, FollowsAJump) {
  put(1);
  put(2);
  EXPECT_EQ(take(), 1);
  put(200);
  put(201);
  EXPECT_EQ(take(), 200);
}

TEST(Codec, IsFoundByNameInAnyCase) {
  EXPECT_EQ(codec_named("pcmu"), Codec::pcmu);
  EXPECT_EQ(codec_named("OPUS"), Codec::opus);
  EXPECT_FALSE(codec_named("G729"));
}

}  // namespace
}  // namespace rw::rtp
