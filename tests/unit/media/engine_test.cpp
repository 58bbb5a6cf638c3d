#include "media/engine.h"

#include <set>

#include "engine_fixture.h"
#include "media/dtmf_detector.h"
#include "rtp/rtcp.h"

namespace rw::media::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Io, EngineTest, ::testing::Values(true, false), io_name);

TEST_P(EngineTest, SendsSilenceFromConfigureOnWithoutGap) {
  begin();
  const auto packets = peer_.receive_many(20);
  ASSERT_EQ(packets.size(), 20U);
  const rtp::Packet first = packets.front().rtp();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const rtp::Packet packet = packets[i].rtp();
    EXPECT_EQ(packet.sequence, static_cast<std::uint16_t>(first.sequence + i));
    EXPECT_EQ(packet.timestamp, first.timestamp + static_cast<std::uint32_t>(i) * 160);
    EXPECT_EQ(packet.ssrc, first.ssrc);
    EXPECT_EQ(packet.payload_type, 8);
    EXPECT_EQ(packet.marker, i == 0);
    EXPECT_THAT(packet.payload, testing::Each(0xD5));
    EXPECT_EQ(packets[i].from, local_);
  }
  // 19 intervals of 20 ms; a machine under load may add to them, but nothing makes them shorter.
  EXPECT_GE(packets.back().at - packets.front().at, 300ms);
}

TEST_P(EngineTest, UsesIoUringOnlyIfAllowed) {
  open();
  EXPECT_TRUE(GetParam() || !engine_->statistics().io_uring);
}

TEST_P(EngineTest, SendsNothingBeforeConfigure) {
  open();
  const auto created = engine_->create(log_.sink());
  ASSERT_TRUE(created);
  engine_->play(created->leg, {1, numbered_sound(1, 1), 0ms, false, 0ms});
  engine_->release(created->leg);
  const auto ended = log_.next_is<PlayEnded>();
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->completed);
  EXPECT_TRUE(log_.next_is<LegReleased>());
  EXPECT_EQ(engine_->statistics().packets_sent, 0U);
}

TEST_P(EngineTest, PlaysItemsOneAfterTheOtherWithoutSilenceBetween) {
  begin();
  play(1, numbered_sound(3, 10));
  play(2, numbered_sound(2, 20));
  ASSERT_TRUE(receive_frame(alaw_of(10)));
  for (const int expected : {11, 12, 20, 21}) EXPECT_TRUE(next_is(alaw_of(expected))) << expected;
  EXPECT_TRUE(next_is(0xD5));
  for (const PlayId play : {1U, 2U}) {
    const auto ended = log_.next_is<PlayEnded>();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->play, play);
    EXPECT_TRUE(ended->completed);
  }
}

TEST_P(EngineTest, KeepsSequenceAndTimestampOverChangesOfTheSource) {
  begin();
  play(1, numbered_sound(4, 10));
  engine_->background(leg_, numbered_sound(1, 50), 0ms);
  const auto first = peer_.receive();
  ASSERT_TRUE(first);
  const rtp::Packet start = first->rtp();
  for (std::uint32_t i = 1; i < 20; ++i) {
    const auto datagram = peer_.receive();
    ASSERT_TRUE(datagram);
    EXPECT_EQ(datagram->rtp().ssrc, start.ssrc);
    EXPECT_EQ(datagram->rtp().sequence, static_cast<std::uint16_t>(start.sequence + i));
    EXPECT_EQ(datagram->rtp().timestamp, start.timestamp + i * 160);
    if (i == 8) {
      LegParameters changed = parameters();
      changed.codec = rtp::Codec::gsm;
      changed.payload_type = 3;
      engine_->configure(leg_, changed);
    }
    EXPECT_TRUE(i < 15 || datagram->rtp().payload.size() == 33U);
  }
}

TEST_P(EngineTest, BackgroundIsHeardWheneverTheForegroundIsEmpty) {
  begin();
  engine_->background(leg_, numbered_sound(1, 50), 40ms);
  ASSERT_TRUE(receive_frame(alaw_of(50)));
  EXPECT_TRUE(next_is(0xD5));
  EXPECT_TRUE(next_is(0xD5));
  EXPECT_TRUE(next_is(alaw_of(50)));
  play(1, numbered_sound(2, 10));
  ASSERT_TRUE(receive_frame(alaw_of(10)));
  EXPECT_TRUE(next_is(alaw_of(11)));
  ASSERT_TRUE(receive_frame(alaw_of(50)));
  EXPECT_TRUE(log_.next_is<PlayEnded>());
  engine_->background(leg_, nullptr, 0ms);
  ASSERT_TRUE(receive_frame(0xD5));
}

TEST_P(EngineTest, LoopsWithPausesUntilStopped) {
  begin();
  play(7, numbered_sound(2, 30), true, 20ms);
  ASSERT_TRUE(receive_frame(alaw_of(30)));
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(next_is(alaw_of(31)));
    EXPECT_TRUE(next_is(0xD5));
    EXPECT_TRUE(next_is(alaw_of(30)));
  }
  engine_->stop(leg_, 7);
  const auto ended = log_.next_is<PlayEnded>();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->play, 7U);
  EXPECT_FALSE(ended->completed);
}

TEST_P(EngineTest, StopAllEndsEachItemInOrder) {
  begin();
  play(1, numbered_sound(1000, 1));
  play(2, numbered_sound(1, 1));
  engine_->stop_all(leg_);
  for (const PlayId play : {1U, 2U}) {
    const auto ended = log_.next_is<PlayEnded>();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->play, play);
    EXPECT_FALSE(ended->completed);
  }
}

TEST_P(EngineTest, ASoundWithoutPayloadYetIsSilenceUntilItIsThere) {
  begin();
  const auto sound = std::make_shared<Sound>(std::vector<std::int16_t>(frame_samples, 40 * 256), 8000U);
  play(1, sound);
  ASSERT_EQ(peer_.receive_many(5).size(), 5U);
  sound->encode(rtp::Codec::pcma);
  EXPECT_TRUE(receive_frame(alaw_of(40)));
  EXPECT_TRUE(log_.next_is<PlayEnded>());
}

TEST_P(EngineTest, SilenceOfALengthEnds) {
  begin();
  engine_->play(leg_, {3, nullptr, 60ms, false, 0ms});
  const auto ended = log_.next_is<PlayEnded>();
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->completed);
  EXPECT_EQ(ended->play, 3U);
}

TEST_P(EngineTest, OnHoldNothingIsSentButTheClockGoesOn) {
  begin();
  const auto before = peer_.receive();
  ASSERT_TRUE(before);
  LegParameters held = parameters();
  held.direction = Direction::inactive;
  engine_->configure(leg_, held);
  play(1, numbered_sound(5, 1));
  ASSERT_TRUE(log_.next_is<PlayEnded>());  // although nobody heard it
  engine_->configure(leg_, parameters());
  const auto resumed = peer_.receive_until(
      [](const Datagram& datagram) { return datagram.rtp().marker && datagram.rtp().sequence != 0; });
  ASSERT_TRUE(resumed);
  const rtp::Packet first = before->rtp();
  const rtp::Packet again = resumed->rtp();
  const auto sequence_step = static_cast<std::uint16_t>(again.sequence - first.sequence);
  const std::uint32_t frames = (again.timestamp - first.timestamp) / 160;
  EXPECT_EQ((again.timestamp - first.timestamp) % 160, 0U);
  EXPECT_GE(frames, sequence_step + 5U);
}

TEST_P(EngineTest, SendsDigitsAsTelephoneEvents) {
  begin();
  engine_->send_digits(leg_, {9, "5#", 100ms, 100ms});
  const auto is_event = [](const Datagram& datagram) { return datagram.rtp().payload_type == 101; };
  auto packet = peer_.receive_until(is_event);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->rtp().marker);
  EXPECT_EQ(packet->rtp().payload[0], 5);
  const std::uint32_t begun = packet->rtp().timestamp;
  std::uint16_t sequence = packet->rtp().sequence;
  int ends = 0;
  for (int i = 1; i < 7; ++i) {
    packet = peer_.receive();
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->rtp().payload_type, 101);
    EXPECT_EQ(packet->rtp().timestamp, begun);
    EXPECT_EQ(packet->rtp().sequence, ++sequence);
    ends += packet->rtp().payload[1] >> 7;
  }
  EXPECT_EQ(ends, 3);
  packet = peer_.receive();
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->rtp().payload_type, 8);
  EXPECT_EQ(packet->rtp().timestamp, begun + 7 * 160) << "the audio's clock has gone on";
  packet = peer_.receive_until(is_event);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->rtp().payload[0], 11);
  EXPECT_EQ(packet->rtp().timestamp, begun + 10 * 160) << "100 ms of tone and 100 ms of gap";
  const auto ended = log_.next_is<PlayEnded>();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->play, 9U);
  EXPECT_TRUE(ended->completed);
}

TEST_P(EngineTest, SendsDigitsAsTonesWithoutTelephoneEvent) {
  LegParameters chosen = parameters();
  chosen.telephone_event_send.reset();
  begin(chosen);
  engine_->send_digits(leg_, {9, "7", 100ms, 100ms});
  DtmfDetector detector;
  std::optional<char> digit;
  for (int i = 0; i < 50 && !digit; ++i) {
    const auto packet = peer_.receive();
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->rtp().payload_type, 8);
    std::vector<std::int16_t> samples;
    for (const std::uint8_t code : packet->rtp().payload) samples.push_back(from_alaw(code));
    digit = detector.put(samples);
  }
  EXPECT_EQ(digit, '7');
  EXPECT_TRUE(log_.next_is<PlayEnded>());
}

TEST_P(EngineTest, EchoSendsTheCallersAudioBack) {
  begin();
  engine_->echo(leg_, {4, 10s});
  std::vector<std::uint8_t> payload(160, 0x33);
  bool heard = false;
  for (int i = 0; i < 100 && !heard; ++i) {
    const auto packet = peer_.receive();  // one frame out for one frame in
    ASSERT_TRUE(packet);
    heard = is_frame(*packet, 0x33);
    peer_.send_rtp(local_, 8, payload);
  }
  EXPECT_TRUE(heard);
  engine_->stop(leg_, 4);
  EXPECT_TRUE(log_.next_is<PlayEnded>());
}

TEST_P(EngineTest, ReleaseSaysGoodbyeAndEndsEverything) {
  begin();
  ASSERT_TRUE(peer_.receive());
  play(1, numbered_sound(1000, 1));
  ASSERT_TRUE(receive_frame(alaw_of(1)));
  engine_->release(leg_);
  const auto ended = log_.next_is<PlayEnded>();
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->completed);
  EXPECT_TRUE(log_.next_is<LegReleased>());
  const auto report = rtcp_peer_.receive();
  ASSERT_TRUE(report);
  const auto summary = rtp::parse_rtcp(report->bytes);
  ASSERT_TRUE(summary);
  EXPECT_TRUE(summary->goodbye);
  EXPECT_TRUE(summary->sender_ntp_middle) << "a sender report, as packets were sent";
  EXPECT_EQ(report->from.port(), local_.port() + 1);
  EXPECT_EQ(engine_->statistics().legs, 0U);
}

TEST_P(EngineTest, CommandsForALegThatHasGoneDoNothing) {
  begin();
  engine_->release(leg_);
  ASSERT_TRUE(log_.next_is<LegReleased>());
  play(1, numbered_sound(1, 1));
  engine_->configure(leg_, parameters());
  engine_->release(leg_);
  engine_->release(0xFFFFFF);
  EXPECT_TRUE(engine_->create(log_.sink()));
}

TEST_P(EngineTest, DestructionReleasesWhatIsLeft) {
  begin();
  play(1, numbered_sound(1000, 1));
  ASSERT_TRUE(receive_frame(alaw_of(1)));
  engine_.reset();
  EXPECT_TRUE(log_.next_is<PlayEnded>());
  EXPECT_TRUE(log_.next_is<LegReleased>());
}

TEST_P(EngineTest, ManyLegsAtOnceLeaveNothing) {
  open();
  constexpr std::size_t count = 100;
  std::vector<LegId> legs;
  std::set<std::uint16_t> ports;
  const SoundPtr sound = numbered_sound(5, 1);
  for (std::size_t i = 0; i < count; ++i) {
    const auto created = engine_->create(log_.sink(), i % 2 == 1 ? legs.back() : 0);
    ASSERT_TRUE(created) << created.error().message;
    ports.insert(created->port);
    engine_->configure(created->leg, parameters());
    engine_->play(created->leg, {i, sound, 0ms, false, 0ms});
    legs.push_back(created->leg);
  }
  EXPECT_EQ(ports.size(), count);
  EXPECT_EQ(engine_->statistics().legs, count);
  EXPECT_EQ(engine_->statistics().ports_in_use, count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto ended = log_.next_is<PlayEnded>();
    ASSERT_TRUE(ended);
    EXPECT_TRUE(ended->completed);
  }
  for (const LegId leg : legs) engine_->release(leg);
  for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(log_.next_is<LegReleased>());
  EXPECT_EQ(engine_->statistics().legs, 0U);
  EXPECT_EQ(engine_->statistics().ports_in_use, 0U);
}

TEST_P(EngineTest, PortsRestAndAreUsedAgain) {
  EngineOptions two = options();
  two.first_port = 43100;
  two.last_port = 43101;
  two.port_rest = 0s;
  open(two);
  for (int round = 0; round < 3; ++round) {
    const auto created = engine_->create(log_.sink());
    ASSERT_TRUE(created) << created.error().message;
    EXPECT_EQ(created->port, 43100);
    const auto second = engine_->create(log_.sink());
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, testing::HasSubstr("43100"));
    engine_->release(created->leg);
    ASSERT_TRUE(log_.next_is<LegReleased>());
  }
  two.port_rest = 3600s;
  engine_.reset();
  open(two);
  const auto created = engine_->create(log_.sink());
  ASSERT_TRUE(created);
  engine_->release(created->leg);
  ASSERT_TRUE(log_.next_is<LegReleased>());
  EXPECT_FALSE(engine_->create(log_.sink()));
  EXPECT_EQ(engine_->statistics().ports_resting, 1U);
  EXPECT_EQ(engine_->statistics().ports_in_use, 0U);
}

TEST_P(EngineTest, APortThatAnotherProgramHoldsIsPassedOver) {
  EngineOptions few = options();
  few.first_port = 43200;
  few.last_port = 43203;
  open(few);
  FileDescriptor foreign(::socket(AF_INET, SOCK_DGRAM, 0));
  const net::Address taken = *net::Address::from("127.0.0.1", 43201);
  ASSERT_EQ(::bind(foreign.get(), taken.raw(), taken.length()), 0);
  const auto created = engine_->create(log_.sink());
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->port, 43202);
}

}  // namespace
}  // namespace rw::media::test
