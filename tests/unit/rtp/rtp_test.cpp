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

/// What a sender of telephone events says, and which digits come of it.
class TelephoneEventReceiverTest : public testing::Test {
 protected:
  struct Sent {
    int event = 5;
    std::uint32_t timestamp = 1000;
    int duration = 160;
    bool marker = false, end = false;
    std::uint32_t ssrc = 1;
    int skip = 0;  ///< packets that were lost before it; below 0: it comes behind as many
  };
  std::optional<Press> send(Sent one) {
    const int sequence = sequence_ + one.skip;
    if (one.skip >= 0) sequence_ = sequence + 1;
    const auto payload =
        event_payload(static_cast<std::uint8_t>(one.event), one.end, 10, static_cast<std::uint64_t>(one.duration));
    Packet packet{101, one.marker, static_cast<std::uint16_t>(sequence), one.timestamp, one.ssrc, payload};
    const auto press = receiver_.receive(packet);
    if (press && press->begins && press->digit != 0) heard_ += press->digit;
    return press;
  }
  /// A whole press of 100 ms: five packets of which the last has E, which comes twice more.
  void press(int event, std::uint32_t timestamp, std::uint32_t ssrc = 1) {
    for (int i = 1; i <= 7; ++i) send({event, timestamp, 160 * std::min(i, 5), i == 1, i >= 5, ssrc});
  }

  TelephoneEventReceiver receiver_;
  int sequence_ = 65'530;
  std::string heard_;
};

TEST_F(TelephoneEventReceiverTest, EachPressIsADigit) {
  press(1, 1000);
  press(1, 2200);
  press(11, 3400);
  EXPECT_EQ(heard_, "11#");
}

TEST_F(TelephoneEventReceiverTest, NeitherMarkerNorEndIsNeeded) {
  send({.timestamp = 1000, .duration = 320});
  send({.timestamp = 1000, .duration = 480});
  send({.timestamp = 3000, .marker = true, .skip = 4});                // the end of the first was lost
  send({.timestamp = 5000, .duration = 800, .end = true, .skip = 5});  // all but an end packet was lost
  send({.timestamp = 6200, .duration = 640, .skip = 3});               // no marker
  EXPECT_EQ(heard_, "5555");
}

TEST_F(TelephoneEventReceiverTest, IsNotFooledByReorderingAndRepetition) {
  send({.event = 1, .duration = 800, .end = true});
  for (const int behind : {-2, -3, -4, -5}) {
    const auto late = send({.event = 1, .duration = 800 + 160 * behind, .marker = behind == -5, .skip = behind});
    EXPECT_TRUE(late && late->late);
  }
  send({.event = 2, .timestamp = 3000});
  send({.event = 1, .duration = 800, .end = true, .skip = -2});
  send({.event = 2, .timestamp = 3000, .skip = -1});
  send({.event = 2, .timestamp = 3000, .duration = 320});
  EXPECT_EQ(heard_, "12");
}

TEST_F(TelephoneEventReceiverTest, ALongPressIsOneThoughItHasSegments) {
  std::uint32_t longest = 0;
  for (std::uint32_t segment = 0; segment < 3; ++segment) {
    for (int duration = 400; duration < 65'535; duration += 400)
      longest = send({.timestamp = 1000 + segment * 65'535, .duration = duration, .marker = segment + duration == 400})
                    ->duration;
    if (segment == 1) sequence_ += 4;  // lost where the next one begins
  }
  EXPECT_EQ(heard_, "5");
  EXPECT_EQ(longest, 2 * 65'535U + 65'200U);
  const auto end = send({.timestamp = 1000 + 2 * 65'535, .duration = 65'300, .end = true});
  EXPECT_TRUE(end->ended);
  press(5, 1000 + 3 * 65'535);
  EXPECT_EQ(heard_, "55");
}

TEST_F(TelephoneEventReceiverTest, TheEndOfALongPressMayComeBehindTheNextOne) {
  send({.timestamp = 1000, .duration = 9600, .marker = true});
  send({.timestamp = 100'000, .marker = true, .skip = 5});
  send({.timestamp = 66'535, .duration = 4000, .end = true, .skip = -2});
  send({.timestamp = 100'000, .duration = 320});
  EXPECT_EQ(heard_, "55");
}

TEST_F(TelephoneEventReceiverTest, APressOfWhichOnlyTheEndComesBehindTheNextOneDoesNotBreakThatInTwo) {
  ++sequence_;
  send({.timestamp = 100'000, .marker = true});
  send({.timestamp = 91'000, .duration = 4000, .end = true, .skip = -2});
  EXPECT_EQ(heard_, "55");
  send({.timestamp = 100'160});  // of those who count so
  send({.timestamp = 91'000, .duration = 4000, .end = true, .skip = -3});
  send({.timestamp = 165'535, .duration = 4000, .skip = 5});  // its next segment
  EXPECT_EQ(heard_, "55");
  press(5, 300'000);
  EXPECT_EQ(heard_, "555");
}

TEST_F(TelephoneEventReceiverTest, TimestampsMayGrowWithinAPress) {
  for (const bool grows : {false, true}) {  // whether the durations grow as well
    for (std::uint32_t i = 0; i < 8; ++i)
      send({.timestamp = 1000 + 160 * i, .duration = grows ? 160 * static_cast<int>(i + 1) : 160, .end = i >= 5});
    press(5, 90'000);
    EXPECT_EQ(std::exchange(heard_, {}), "55");
    receiver_ = {};
  }
}

TEST_F(TelephoneEventReceiverTest, EndPacketsMayHaveTimestampsOfTheirOwn) {
  for (const std::uint32_t begun : {1000U, 3000U, 5000U}) {
    for (int i = 1; i <= 3; ++i) send({.timestamp = begun, .duration = 400 * i, .marker = i == 1});
    for (std::uint32_t i = 0; i < 3; ++i) send({.timestamp = begun + 1200 + 160 * i, .duration = 1200, .end = true});
  }
  EXPECT_EQ(heard_, "555");
}

TEST_F(TelephoneEventReceiverTest, AKeyMayBePressedAgainAtAFrozenTimestamp) {
  for (int i = 0; i < 4; ++i) press(1, 1000);
  EXPECT_EQ(heard_, "1111");
  send({.event = 1, .duration = 160, .skip = 0});  // its marker was lost
  send({.event = 1, .duration = 320, .skip = 0});  // and its end will be
  send({.event = 1, .duration = 160, .marker = true, .skip = 3});
  EXPECT_EQ(heard_, "111111");
}

TEST_F(TelephoneEventReceiverTest, TheEndMaySayLessThanThePacketsBeforeIt) {
  for (int i = 1; i <= 5; ++i) send({.duration = 800 * i, .marker = i == 1});
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(send({.duration = 3600, .end = true})->duration, 4000U);
  EXPECT_EQ(heard_, "5");
}

TEST_F(TelephoneEventReceiverTest, AMarkerInEachPacketMeansNothing) {
  for (int i = 1; i <= 7; ++i)
    send({.timestamp = 1000, .duration = 160 * std::min(i, 5), .marker = true, .end = i >= 5});
  EXPECT_EQ(heard_, "5");
}

TEST_F(TelephoneEventReceiverTest, SourcesAndEventsAreOnesOfTheirOwn) {
  press(5, 1000, 1);
  press(5, 1000, 2);
  press(6, 1000, 2);
  EXPECT_EQ(heard_, "556");
}

TEST_F(TelephoneEventReceiverTest, OtherEventsAreNoDigitsAndShortPacketsNothing) {
  const auto flash = send({.event = 16});
  EXPECT_TRUE(flash && flash->digit == 0);
  const Bytes shorter{5, 0};
  EXPECT_FALSE(receiver_.receive(Packet{101, false, 0, 1, 1, shorter}));
}

TEST(TelephoneEventSender, CountsInTheClockOfItsEvents) {
  TelephoneEventSender sender('1', std::chrono::milliseconds(5000), 48'000);
  std::optional<TelephoneEventSender::Step> last;
  EXPECT_EQ(read16(&sender.next()->payload[2]), 960);
  while (const auto step = sender.next()) last = step;
  EXPECT_EQ(read16(&last->payload[2]), 0xFFFF);
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

TEST(ReceiverStatistics, EventsBeginNothingAnewAndAreNoJitter) {
  ReceiverStatistics statistics;
  for (std::uint16_t at = 0; at < 20; ++at) {
    if (at >= 10) {
      statistics.received_event(7, at);
      statistics.received_event(8, at);
    } else {
      statistics.received(7, at, at * 160U, at * 160U);
    }
  }
  EXPECT_EQ(statistics.report()->ssrc, 7U);
  EXPECT_EQ(statistics.report()->highest_sequence, 19U);
  EXPECT_EQ(statistics.report()->jitter, 0U);
  EXPECT_EQ(statistics.lost(), 0U);
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

TEST_F(JitterBufferTest, WhatIsNoFrameIsNotMissing) {
  put(1);
  put(2);
  buffer.skip(3);  // a key is pressed; frames before it are still to be played
  EXPECT_EQ(take(), 1);
  EXPECT_EQ(take(), 2);
  EXPECT_EQ(take(), -2);
  for (const std::uint16_t event : {4, 5, 7, 8}) buffer.skip(event);
  put(9);
  put(10);
  EXPECT_EQ(take(), 9);
  EXPECT_EQ(take(), 10);
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
