// Legs that hear each other.

#include <cmath>

#include "engine_fixture.h"
#include "media/dtmf_detector.h"

namespace rw::media::test {
namespace {

/// A leg with the other side of it.
struct End {
  Peer peer;
  EventLog log;
  LegId leg = 0;
  net::Address local;
};

class EngineJoinTest : public EngineTest {
 protected:
  LegParameters with(const End& end, rtp::Codec codec) const {
    LegParameters chosen = parameters();
    const rtp::CodecFacts& facts = rtp::facts(codec);
    chosen.remote = end.peer.address();
    chosen.codec = codec;
    chosen.payload_type = facts.payload_type;
    chosen.receive = {{facts.payload_type, codec}};
    return chosen;
  }
  void begin_leg(End& end, LegParameters chosen, LegId beside = 0) {
    if (!engine_) open();
    const auto created = engine_->create(end.log.sink(), beside);
    ASSERT_TRUE(created) << created.error().message;
    end.leg = created->leg;
    end.local = *net::Address::from("127.0.0.1", created->port);
    engine_->configure(end.leg, std::move(chosen));
    engine_->start_timeout_watch(end.leg);
    ASSERT_TRUE(end.peer.receive());
  }
  void begin_both(rtp::Codec codec_a, rtp::Codec codec_b) {
    begin_leg(a_, with(a_, codec_a));
    begin_leg(b_, with(b_, codec_b), a_.leg);
  }
  /// `from` says frames of `code` until `to` hears one that `heard` accepts. Paced by what `to` receives.
  std::optional<Datagram> say_until(End& from, End& to, std::uint8_t payload_type, std::span<const std::uint8_t> frame,
                                    const std::function<bool(const rtp::Packet&)>& heard) {
    const TimePoint end = Clock::now() + patience;
    while (Clock::now() < end) {
      from.peer.send_rtp(from.local, payload_type, frame);
      const TimePoint next = Clock::now() + 20ms;
      while (Clock::now() < next) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
        auto datagram = to.peer.receive(std::max(left, 0ms));
        if (datagram && heard(datagram->rtp())) return datagram;
      }
    }
    return std::nullopt;
  }
  static std::vector<std::uint8_t> frame(std::uint8_t code) { return std::vector<std::uint8_t>(160, code); }
  static std::function<bool(const rtp::Packet&)> is(std::uint8_t payload_type, std::uint8_t code) {
    return [=](const rtp::Packet& packet) {
      return packet.payload_type == payload_type && packet.payload.size() == 160 && packet.payload[80] == code;
    };
  }
  bool hears(End& from, End& to, std::uint8_t code = 0x2A) {
    return say_until(from, to, 8, frame(code), is(8, code)).has_value();
  }
  /// `to` gets nothing of what `from` says while a sound is played to it.
  bool is_deaf(End& from, End& to, std::uint8_t code) {
    engine_->play(to.leg, {77, numbered_sound(20, 1), 0ms, false, 0ms});
    bool playing = false, clean = true;
    const bool heard = say_until(from, to, 8, frame(code), [&](const rtp::Packet& packet) {
                         playing = playing || is(8, alaw_of(1))(packet);
                         clean = clean && !(playing && is(8, code)(packet));
                         return is(8, alaw_of(20))(packet);
                       }).has_value();
    return heard && clean;
  }

  End a_, b_, c_;
};

INSTANTIATE_TEST_SUITE_P(Io, EngineJoinTest, ::testing::Values(true, false), io_name);

TEST_P(EngineJoinTest, EachHearsTheOtherInOneStream) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  const rtp::Packet before = b_.peer.receive()->rtp();
  engine_->join(a_.leg, b_.leg);
  EXPECT_TRUE(hears(a_, b_, 0x11));
  EXPECT_TRUE(hears(b_, a_, 0x22));
  const auto after = b_.peer.receive();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->rtp().ssrc, before.ssrc);
}

TEST_P(EngineJoinTest, NothingIsLostOrSaidTwice) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  engine_->join(a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  std::optional<std::uint16_t> sequence;
  for (std::uint8_t code = 1; code < 40; ++code) {
    const auto heard = say_until(a_, b_, 8, frame(code), is(8, code));
    ASSERT_TRUE(heard);
    if (sequence) {
      EXPECT_EQ(heard->rtp().sequence, static_cast<std::uint16_t>(*sequence + 1));
    }
    sequence = heard->rtp().sequence;
  }
}

TEST_P(EngineJoinTest, OneLawBecomesTheOther) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcmu);
  engine_->join(a_.leg, b_.leg);
  EXPECT_TRUE(say_until(a_, b_, 8, frame(alaw_of(20)), is(0, to_ulaw(from_alaw(alaw_of(20))))));
}

TEST_P(EngineJoinTest, LongPacketsBecomePacketsOf20Milliseconds) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  engine_->join(a_.leg, b_.leg);
  const std::uint8_t code = alaw_of(20);
  for (const std::size_t length : {160U, 240U, 480U, 640U, 1600U}) {
    const std::vector<std::uint8_t> packet(length, code);
    EXPECT_TRUE(say_until(a_, b_, 8, packet, [&](const rtp::Packet& heard) {
      return heard.payload.size() == 160 && heard.payload[80] == code;
    })) << length;
  }
}

TEST_P(EngineJoinTest, OtherCodecsAreConverted) {
  begin_both(rtp::Codec::pcma, rtp::Codec::opus);
  engine_->join(a_.leg, b_.leg);
  std::vector<std::uint8_t> loud(160);
  for (std::size_t i = 0; i < loud.size(); ++i)
    loud[i] = to_alaw(static_cast<std::int16_t>(9000 * std::sin(0.7 * static_cast<double>(i))));
  const auto decoder = make_decoder(rtp::Codec::opus);
  EXPECT_TRUE(say_until(a_, b_, 8, loud, [&](const rtp::Packet& packet) {
    std::array<std::int16_t, 960> samples{};
    const std::size_t count = decoder->decode(packet.payload, samples);
    return count == 160 && std::ranges::max(samples) > 4000;
  }));
}

TEST_P(EngineJoinTest, DigitsGoThroughAndAreReported) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  engine_->join(a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  const std::array<std::uint8_t, 4> press{5, 0x0A, 0, 160};
  a_.peer.send_rtp(a_.local, 101, press, 9000);
  const auto heard = b_.peer.receive_until([](const Datagram& datagram) { return datagram.rtp().payload_type == 101; });
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->rtp().payload[0], 5);
  const auto reported = a_.log.next_is<DtmfReceived>();
  ASSERT_TRUE(reported);
  EXPECT_EQ(reported->digit, '5');
}

TEST_P(EngineJoinTest, DigitsBecomeTonesForASideWithoutEvents) {
  begin_leg(a_, with(a_, rtp::Codec::pcma));
  LegParameters plain = with(b_, rtp::Codec::pcma);
  plain.telephone_event_send.reset();
  plain.telephone_event_receive.clear();
  begin_leg(b_, plain, a_.leg);
  engine_->join(a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  const std::array<std::uint8_t, 4> press{5, 0x0A, 0, 160};
  a_.peer.send_rtp(a_.local, 101, press, 9000);
  DtmfDetector detector;
  std::optional<char> digit;
  static_cast<void>(b_.peer.receive_until([&](const Datagram& datagram) {
    std::array<std::int16_t, 160> samples;
    const auto payload = datagram.rtp().payload;
    for (std::size_t i = 0; i < payload.size(); ++i) samples[i] = from_alaw(payload[i]);
    digit = detector.put(std::span(samples).first(payload.size()));
    return digit.has_value();
  }));
  EXPECT_EQ(digit, '5');
}

TEST_P(EngineJoinTest, WhatIsPlayedIsHeardInPlaceOfTheOther) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  engine_->join(a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  EXPECT_TRUE(is_deaf(a_, b_, 0x33));
  EXPECT_TRUE(hears(a_, b_, 0x44));
}

TEST_P(EngineJoinTest, TheBackgroundIsHeardOnlyWhileNothingComes) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  engine_->join(a_.leg, b_.leg);
  engine_->background(b_.leg, numbered_sound(1, 9), 0ms);
  ASSERT_TRUE(hears(a_, b_));
  int background = 0;
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(say_until(a_, b_, 8, frame(static_cast<std::uint8_t>(i)), [&](const rtp::Packet& packet) {
      background += is(8, alaw_of(9))(packet) ? 1 : 0;
      return is(8, static_cast<std::uint8_t>(i))(packet);
    }));
  EXPECT_EQ(background, 0);
  EXPECT_TRUE(b_.peer.receive_until([&](const Datagram& datagram) { return is(8, alaw_of(9))(datagram.rtp()); }));
}

TEST_P(EngineJoinTest, APartedLegIsAlone) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  engine_->join(a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  engine_->part(b_.leg);
  engine_->play(b_.leg, {5, nullptr, 20ms, false, 0ms});  // behind it, so that it has been done
  ASSERT_TRUE(b_.log.next_is<PlayEnded>());
  EXPECT_TRUE(is_deaf(a_, b_, 0x55));
  EXPECT_TRUE(is_deaf(b_, a_, 0x66));
}

TEST_P(EngineJoinTest, AReleasedLegLeavesTheOtherAlone) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  engine_->join(a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  engine_->release(a_.leg);
  ASSERT_TRUE(a_.log.next_is<LegReleased>());
  EXPECT_TRUE(is_deaf(b_, b_, 0x55));
}

TEST_P(EngineJoinTest, JoiningLeavesTheEarlierOne) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  begin_leg(c_, with(c_, rtp::Codec::pcma));
  engine_->join(a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  engine_->join(c_.leg, b_.leg);
  ASSERT_TRUE(hears(c_, b_));
  ASSERT_TRUE(hears(b_, c_));
  EXPECT_TRUE(is_deaf(b_, a_, 0x55));
}

TEST_P(EngineJoinTest, NobodyIsHeardThatIsOnHold) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  engine_->join(a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  LegParameters held = with(a_, rtp::Codec::pcma);
  held.direction = Direction::send_only;
  engine_->configure(a_.leg, held);
  engine_->play(a_.leg, {5, nullptr, 20ms, false, 0ms});
  ASSERT_TRUE(a_.log.next_is<PlayEnded>());
  EXPECT_TRUE(is_deaf(a_, b_, 0x55));
}

TEST_P(EngineJoinTest, AMonitorHearsBothAndIsHeardByNobody) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  begin_leg(c_, with(c_, rtp::Codec::pcma), a_.leg);
  engine_->join(a_.leg, b_.leg);
  engine_->monitor(c_.leg, a_.leg, b_.leg);
  engine_->part(a_.leg);  // as for music on hold
  engine_->join(a_.leg, b_.leg);
  const std::uint8_t low = alaw_of(8), high = alaw_of(16);
  ASSERT_TRUE(say_until(a_, b_, 8, frame(low), is(8, low)));
  bool both = false;
  for (int i = 0; i < 100 && !both; ++i) {
    a_.peer.send_rtp(a_.local, 8, frame(low));
    b_.peer.send_rtp(b_.local, 8, frame(high));
    const auto heard = c_.peer.receive();
    ASSERT_TRUE(heard);
    const std::int16_t sample = from_alaw(heard->rtp().payload[80]);
    both = std::abs(sample - from_alaw(low) - from_alaw(high)) < 300;
  }
  EXPECT_TRUE(both);
  EXPECT_TRUE(is_deaf(c_, a_, 0x55));
  EXPECT_TRUE(is_deaf(c_, b_, 0x55));
}

TEST_P(EngineJoinTest, AMonitorHearsTheOneThatIsLeft) {
  begin_both(rtp::Codec::pcma, rtp::Codec::pcma);
  begin_leg(c_, with(c_, rtp::Codec::pcma), a_.leg);
  engine_->join(a_.leg, b_.leg);
  engine_->monitor(c_.leg, a_.leg, b_.leg);
  ASSERT_TRUE(hears(a_, b_));
  engine_->release(a_.leg);
  ASSERT_TRUE(a_.log.next_is<LegReleased>());
  const std::uint8_t code = alaw_of(16);
  EXPECT_TRUE(say_until(b_, c_, 8, frame(code), is(8, code)));
}

/// Legs on different workers: the first one is filled up with others.
class EngineMoveTest : public EngineJoinTest {
 protected:
  void begin_apart() {
    EngineOptions chosen = options();
    chosen.legs_per_worker = 1;
    open(chosen);
    begin_leg(a_, with(a_, rtp::Codec::pcma));
    begin_leg(b_, with(b_, rtp::Codec::pcma));
  }
};
INSTANTIATE_TEST_SUITE_P(Io, EngineMoveTest, ::testing::Values(true, false), io_name);

TEST_P(EngineMoveTest, TheStreamGoesOnWhenALegMoves) {
  begin_apart();
  const auto before = b_.peer.receive();
  ASSERT_TRUE(before);
  engine_->join(a_.leg, b_.leg);
  EXPECT_TRUE(hears(a_, b_));
  EXPECT_TRUE(hears(b_, a_));
  EXPECT_EQ(b_.peer.receive()->rtp().ssrc, before->rtp().ssrc);
  EXPECT_EQ(engine_->statistics().legs, 2U);
}

TEST_P(EngineMoveTest, WhoIsHeardStaysTheSameWhenALegMoves) {
  begin_apart();
  Peer nat, stranger;
  for (int i = 0; i < 6; ++i) nat.send_rtp(b_.local, 8, frame(0x33));
  ASSERT_TRUE(nat.receive());
  engine_->join(a_.leg, b_.leg);
  End from_nat{std::move(nat), {}, b_.leg, b_.local};
  EXPECT_TRUE(hears(from_nat, a_, 0x44));
  EXPECT_TRUE(hears(a_, from_nat, 0x55));
  engine_->configure(b_.leg, with(b_, rtp::Codec::pcma));
  for (int i = 0; i < 100; ++i) stranger.send_rtp(b_.local, 8, frame(0x11));
  EXPECT_TRUE(hears(from_nat, a_, 0x45)) << "an exchange with the same address after the move";
  EXPECT_TRUE(hears(b_, a_, 0x66)) << "the signalled address takes over";
  EXPECT_TRUE(hears(a_, b_, 0x77));
  EXPECT_FALSE(stranger.receive(1ms));
}

TEST_P(EngineMoveTest, CommandsKeepTheirOrder) {
  begin_apart();
  const auto loop = numbered_sound(1, 5);
  for (int round = 0; round < 50; ++round) {
    engine_->join(a_.leg, b_.leg);
    engine_->play(b_.leg, {1, loop, 0ms, true, 0ms});
    engine_->part(a_.leg);
    begin_leg(c_, with(c_, rtp::Codec::pcma));
    engine_->join(c_.leg, b_.leg);
    engine_->stop(b_.leg, 1);
    const auto ended = b_.log.next_is<PlayEnded>();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->play, 1U);
    engine_->join(b_.leg, a_.leg);
    engine_->part(b_.leg);
    engine_->release(c_.leg);
    ASSERT_TRUE(c_.log.next_is<LegReleased>());
  }
  engine_->release(a_.leg);
  engine_->join(a_.leg, b_.leg);  // too late: nothing happens
  engine_->release(b_.leg);
  EXPECT_TRUE(a_.log.next_is<LegReleased>());
  EXPECT_TRUE(b_.log.next_is<LegReleased>());
  EXPECT_EQ(engine_->statistics().legs, 0U);
  EXPECT_EQ(engine_->statistics().ports_in_use, 0U);
}

TEST_P(EngineMoveTest, AReleaseRightBehindTheMoveIsNotLost) {
  begin_apart();
  engine_->join(a_.leg, b_.leg);
  engine_->release(b_.leg);
  EXPECT_TRUE(b_.log.next_is<LegReleased>());
  engine_->release(a_.leg);
  EXPECT_TRUE(a_.log.next_is<LegReleased>());
  EXPECT_EQ(engine_->statistics().ports_in_use, 0U);
}

}  // namespace
}  // namespace rw::media::test
