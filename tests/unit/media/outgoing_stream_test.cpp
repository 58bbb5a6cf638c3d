#include "media/outgoing_stream.h"

#include <gtest/gtest.h>

namespace rw::media {
namespace {

class OutgoingStreamTest : public testing::Test {
 protected:
  /// A packet of our own clock, for the frame that is due.
  rtp::Packet own() {
    const rtp::Packet packet = stream_.own_packet();
    stream_.advance();
    return packet;
  }
  std::optional<rtp::Packet> pass(std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t ssrc = 7) {
    rtp::Packet packet;
    packet.sequence = sequence;
    packet.timestamp = timestamp;
    packet.ssrc = ssrc;
    return stream_.passed_on(packet);
  }
  OutgoingStream stream_{1, 1000, 65'534};
};

TEST_F(OutgoingStreamTest, NumbersItsOwnPackets) {
  const rtp::Packet first = own(), second = own(), third = own();
  EXPECT_EQ(first.ssrc, 1U);
  EXPECT_TRUE(first.marker);
  EXPECT_EQ(first.sequence, 65'534);
  EXPECT_EQ(first.timestamp, 1000U);
  EXPECT_FALSE(second.marker);
  EXPECT_EQ(third.sequence, 0);
  EXPECT_EQ(third.timestamp, 1320U);
}

TEST_F(OutgoingStreamTest, GoesOnWithoutASeamWhenPacketsArePassedOn) {
  own();
  const auto first = pass(500, 90'000), second = pass(501, 90'160);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->ssrc, 1U);
  EXPECT_EQ(first->sequence, 65'535);
  EXPECT_EQ(first->timestamp, 1160U);
  EXPECT_TRUE(first->marker);
  EXPECT_EQ(second->sequence, 0);
  EXPECT_EQ(second->timestamp, 1320U);
  EXPECT_FALSE(second->marker);
  stream_.advance();
  const rtp::Packet after = own();  // its own clock has not gone as far as what was passed on
  EXPECT_EQ(after.sequence, 1);
  EXPECT_EQ(after.timestamp, 1480U);
}

TEST_F(OutgoingStreamTest, KeepsLossesAndReordering) {
  pass(500, 0);
  const auto ahead = pass(503, 480), behind = pass(502, 320);
  ASSERT_TRUE(ahead && behind);
  EXPECT_EQ(ahead->sequence, 1);
  EXPECT_EQ(behind->sequence, 0);
  EXPECT_EQ(behind->timestamp, 1320U);
  EXPECT_EQ(own().sequence, 2);
}

TEST_F(OutgoingStreamTest, DropsWhatIsOlderThanWhatItBeganWith) {
  own();
  ASSERT_TRUE(pass(500, 1600));
  EXPECT_FALSE(pass(499, 1440));
}

TEST_F(OutgoingStreamTest, AnotherStreamIsPutBehindTheLastOne) {
  pass(500, 0);
  pass(501, 160);
  const auto other = pass(9, 55'555, 8);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->sequence, 0);
  EXPECT_EQ(other->timestamp, 1320U);
  EXPECT_TRUE(other->marker);
}

TEST_F(OutgoingStreamTest, AJumpIsANewStream) {
  pass(500, 0);
  const auto after = pass(9000, 10'000'000);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->sequence, 65'535);
  EXPECT_EQ(after->timestamp, 1160U);
}

TEST_F(OutgoingStreamTest, AnEventOfAnotherSourceStandsBetweenTheAudio) {
  pass(500, 0);
  pass(501, 160);
  rtp::Packet event;
  event.ssrc = 8;
  event.sequence = 9;
  event.timestamp = 55'555;
  const std::uint32_t begun = stream_.event_begins(event);
  EXPECT_EQ(begun, 1320U);
  const rtp::Packet first = stream_.event_packet(event, begun);
  EXPECT_EQ(first.sequence, 0);
  EXPECT_EQ(first.timestamp, begun);
  const auto audio = pass(502, 320);
  ASSERT_TRUE(audio);
  EXPECT_EQ(audio->sequence, 1);
  EXPECT_EQ(audio->timestamp, 1320U);
  EXPECT_FALSE(audio->marker);
  EXPECT_EQ(stream_.event_packet(event, begun).sequence, 2);
  EXPECT_FALSE(pass(501, 160)) << "its number has been given away";
  EXPECT_EQ(pass(504, 640)->sequence, 4) << "a loss stays one";
}

TEST_F(OutgoingStreamTest, AnEventOfTheAudiosSourceHasItsPlaceThere) {
  pass(500, 0);
  rtp::Packet event;
  event.ssrc = 7;
  event.sequence = 501;
  event.timestamp = 160;
  const std::uint32_t begun = stream_.event_begins(event);
  EXPECT_EQ(begun, 1160U);
  stream_.event_packet(event, begun);
  event.sequence = 504;  // two were lost: each packet of an event says all that those before it have said
  EXPECT_EQ(stream_.event_packet(event, begun).sequence, 0);
  EXPECT_EQ(pass(505, 1600)->sequence, 1);
}

TEST_F(OutgoingStreamTest, NoTwoEventsBeginAtOnce) {
  rtp::Packet event;
  event.ssrc = 8;
  const std::uint32_t first = stream_.event_begins(event), second = stream_.event_begins(event);
  EXPECT_EQ(first, 1000U);
  EXPECT_EQ(second, 1160U);
  EXPECT_EQ(own().timestamp, 1320U);
}

TEST_F(OutgoingStreamTest, ReportsWhatWasSent) {
  EXPECT_FALSE(stream_.report(1));
  stream_.sent(160);
  stream_.sent(33);
  const auto report = stream_.report(5);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->packets, 2U);
  EXPECT_EQ(report->octets, 193U);
  EXPECT_FALSE(stream_.report(6));
}

}  // namespace
}  // namespace rw::media
