// What an engine does with packets from the network: sources, digits, time-outs, reports.

#include "engine_fixture.h"
#include "media/source_filter.h"
#include "media/tone.h"
#include "rtp/rtcp.h"

namespace rw::media::test {
namespace {

class EngineReceiveTest : public EngineTest {
 protected:
  /// begin(), and waits until the worker has taken it all, so that what is sent from now on meets an answered leg.
  void begin_answered(LegParameters chosen) {
    begin(std::move(chosen));
    engine_->play(leg_, {0, nullptr, 0ms, false, 0ms});
    ASSERT_TRUE(log_.next_is<PlayEnded>());
  }
  void begin_answered() { begin_answered(parameters()); }
  /// Waits until the statistics are as wanted.
  bool await(const std::function<bool(const EngineStatistics&)>& wanted) {
    const TimePoint end = Clock::now() + patience;
    while (Clock::now() < end) {
      if (wanted(engine_->statistics())) return true;
      static_cast<void>(peer_.receive(20ms));  // paced by the leg's own packets
    }
    return false;
  }
  /// Waits until the engine has looked at `packets` datagrams.
  bool await_packets(std::uint64_t packets) {
    return await([&](const EngineStatistics& now) { return now.packets_received + now.packets_dropped >= packets; });
  }
  void send_event(Peer& from, std::uint8_t event, std::uint32_t timestamp, bool end = false) {
    const std::array<std::uint8_t, 4> payload{event, static_cast<std::uint8_t>(end ? 0x8A : 0x0A), 0, 160};
    from.send_rtp(local_, 101, payload, timestamp);
  }
  std::vector<std::uint8_t> audio_ = std::vector<std::uint8_t>(160, 0xD5);
};

INSTANTIATE_TEST_SUITE_P(Io, EngineReceiveTest, ::testing::Values(true, false), io_name);

TEST_P(EngineReceiveTest, ReportsATelephoneEventOnce) {
  begin_answered();
  for (int i = 0; i < 5; ++i) send_event(peer_, 7, 8000, i > 2);
  send_event(peer_, 10, 9600);
  const auto first = log_.next_is<DtmfReceived>();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->digit, '7');
  EXPECT_EQ(first->leg, leg_);
  const auto second = log_.next_is<DtmfReceived>();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->digit, '*');
  ASSERT_TRUE(await_packets(6));
  EXPECT_EQ(engine_->statistics().packets_received, 6U);
}

TEST_P(EngineReceiveTest, KeepsWhatCameBeforeTheLegWasConfigured) {
  begin_answered();  // a leg on the same worker, to see what the worker has looked at
  const auto early = engine_->create(log_.sink(), leg_);
  ASSERT_TRUE(early);
  const std::array<std::uint8_t, 4> payload{7, 0x0A, 0, 160};
  peer_.send_rtp(*net::Address::from("127.0.0.1", early->port), 101, payload, 8000);
  send_event(peer_, 5, 16000);
  const auto later = log_.next_is<DtmfReceived>();
  ASSERT_TRUE(later);
  EXPECT_EQ(later->leg, leg_);
  engine_->configure(early->leg, parameters());
  const auto first = log_.next_is<DtmfReceived>();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->leg, early->leg);
  EXPECT_EQ(first->digit, '7');
}

TEST_P(EngineReceiveTest, ReleasesALegThatWasNeverConfigured) {
  open();
  const auto created = engine_->create(log_.sink());
  ASSERT_TRUE(created);
  engine_->release(created->leg);
  EXPECT_TRUE(log_.next_is<LegReleased>());
  EXPECT_EQ(engine_->statistics().ports_in_use, 0U);
}

TEST_P(EngineReceiveTest, FindsTonesInTheAudioWithoutTelephoneEvent) {
  LegParameters chosen = parameters();
  chosen.telephone_event_receive.clear();
  begin_answered(chosen);
  const std::vector<std::int16_t> tone = tone_samples(*dtmf_tone('4'), 100ms);
  std::vector<std::uint8_t> codes;
  for (const std::int16_t sample : tone) codes.push_back(to_alaw(sample));
  codes.resize(codes.size() + 1600, 0xD5);
  for (std::size_t at = 0; at < codes.size(); at += 160) peer_.send_rtp(local_, 8, std::span(codes).subspan(at, 160));
  const auto digit = log_.next_is<DtmfReceived>();
  ASSERT_TRUE(digit);
  EXPECT_EQ(digit->digit, '4');
}

TEST_P(EngineReceiveTest, DropsAndCountsWhatIsNotNegotiatedOrNotRtp) {
  EngineOptions chosen = options();
  chosen.latch = Latch::off;
  open(chosen);
  begin_answered();
  Peer stranger;
  peer_.send_rtp(local_, 77, audio_);
  peer_.send(std::vector<std::uint8_t>{1, 2, 3}, local_);
  peer_.send(std::vector<std::uint8_t>(12, 0xFF), local_);
  stranger.send_rtp(local_, 8, audio_);
  send_event(stranger, 5, 100);
  ASSERT_TRUE(await_packets(5));
  EXPECT_EQ(engine_->statistics().packets_dropped, 5U);
  EXPECT_EQ(engine_->statistics().packets_received, 0U);
}

TEST_P(EngineReceiveTest, LatchesAStreamAndAnswersThereUntilTheSignalledAddressSpeaks) {
  begin_answered();
  Peer other;
  ASSERT_TRUE(peer_.receive());
  for (int i = 0; i < SourceFilter::packets_to_latch; ++i) other.send_rtp(local_, 8, audio_);
  ASSERT_TRUE(other.receive()) << "audio follows to where RTP comes from";
  engine_->configure(leg_, parameters());
  ASSERT_EQ(other.receive_many(3).size(), 3U) << "an exchange that leaves the address as it is leaves the source too";
  const std::uint64_t before = engine_->statistics().packets_received;
  peer_.send_rtp(local_, 8, audio_);
  EXPECT_TRUE(await([&](const EngineStatistics& now) { return now.packets_received == before + 1; }));
  EXPECT_TRUE(peer_.receive_until([&](const Datagram& datagram) { return datagram.from == local_; }));
  const std::uint64_t dropped = engine_->statistics().packets_dropped;
  other.send_rtp(local_, 8, audio_);
  EXPECT_TRUE(await([&](const EngineStatistics& now) { return now.packets_dropped == dropped + 1; }));
}

TEST_P(EngineReceiveTest, ReportsATimeOutOnce) {
  EngineOptions chosen = options();
  chosen.rtp_timeout = 1s;
  open(chosen);
  begin_answered();
  const auto silent = log_.next_is<RtpTimedOut>();
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->leg, leg_);
  engine_->release(leg_);
  EXPECT_TRUE(log_.next_is<LegReleased>()) << "not a second time-out";
}

TEST_P(EngineReceiveTest, SignsOfLifeKeepOffATimeOut) {
  EngineOptions chosen = options();
  chosen.rtp_timeout = 1s;
  open(chosen);
  begin_answered();
  const std::array<std::uint8_t, 1> noise{0x40};
  std::array<std::uint8_t, 200> report;
  const std::size_t length = rtp::write_report(report, 1, std::nullopt, std::nullopt, {}, "peer", false);
  net::Address rtcp_port = local_;
  rtcp_port.set_port(static_cast<std::uint16_t>(local_.port() + 1));
  const std::array<std::function<void()>, 5> signs{
      [&] { peer_.send_rtp(local_, 13, noise); }, [&] { peer_.send_rtp(local_, 19, noise); },
      [&] { peer_.send({}, local_); }, [&] { rtcp_peer_.send(std::span(report).first(length), rtcp_port); },
      [&] { peer_.send_rtp(local_, 126, noise); }};
  for (const auto& sign : signs) {
    const TimePoint end = Clock::now() + 1500ms;
    while (Clock::now() < end) {
      sign();
      static_cast<void>(peer_.receive_many(5));
    }
  }
  EXPECT_FALSE(log_.next_is<RtpTimedOut>(0ms));
  EXPECT_TRUE(log_.next_is<RtpTimedOut>()) << "nothing comes any more";
}

TEST_P(EngineReceiveTest, HoldDoesNotTimeOut) {
  EngineOptions chosen = options();
  chosen.rtp_timeout = 1s;
  open(chosen);
  LegParameters held = parameters();
  held.direction = Direction::receive_only;
  begin_answered(held);
  engine_->play(leg_, {1, nullptr, 1500ms, false, 0ms});
  EXPECT_TRUE(log_.next_is<PlayEnded>());  // and no time-out before it
}

TEST_P(EngineReceiveTest, ReportsOnReceptionAndCountsLosses) {
  begin_answered();
  for (int i = 0; i < 10; ++i) peer_.send_rtp(local_, 8, audio_);
  peer_.lose(4);
  peer_.send_rtp(local_, 8, audio_);
  ASSERT_TRUE(await_packets(11));
  // The first report comes by itself, within one and a half intervals.
  const auto report = rtcp_peer_.receive();
  ASSERT_TRUE(report);
  const auto& bytes = report->bytes;
  ASSERT_GE(bytes.size(), 52U);
  EXPECT_EQ(bytes[0], 0x81);
  EXPECT_EQ(bytes[1], 200);
  EXPECT_EQ(bytes[33] << 16 | bytes[34] << 8 | bytes[35], 4) << "lost packets";
  ASSERT_TRUE(peer_.receive());
  EXPECT_TRUE(await([](const EngineStatistics& now) { return now.packets_lost == 4U && now.rtcp_sent == 1U; }));
}

TEST_P(EngineReceiveTest, TakesRtcpOnItsPortOrMuxed) {
  begin_answered();
  std::array<std::uint8_t, 200> bytes;
  const std::size_t length = rtp::write_report(bytes, 1, rtp::SenderInfo{}, std::nullopt, {}, "peer", false);
  net::Address rtcp_port = local_;
  rtcp_port.set_port(static_cast<std::uint16_t>(local_.port() + 1));
  rtcp_peer_.send(std::span(bytes).first(length), rtcp_port);
  EXPECT_TRUE(await([](const EngineStatistics& now) { return now.rtcp_received == 1; }));
  LegParameters muxed = parameters();
  muxed.rtcp_mux = true;
  engine_->configure(leg_, muxed);
  ASSERT_EQ(peer_.receive_many(5).size(), 5U);
  peer_.send(std::span(bytes).first(length), local_);
  EXPECT_TRUE(await([](const EngineStatistics& now) { return now.rtcp_received == 2; }));
  engine_->release(leg_);
  const auto goodbye = peer_.receive_until([](const Datagram& datagram) { return rtp::is_rtcp(datagram.bytes); });
  EXPECT_TRUE(goodbye);
}

TEST_P(EngineReceiveTest, SurvivesAFlood) {
  begin_answered();
  std::vector<std::uint8_t> bytes(1400);
  for (std::size_t i = 0; i < 5000; ++i) {
    bytes[i % bytes.size()] = static_cast<std::uint8_t>(i * 7);
    peer_.send(std::span(bytes).first(i % bytes.size()), local_);
  }
  bytes.resize(9000);
  peer_.send(bytes, local_);
  ASSERT_EQ(peer_.receive_many(20).size(), 20U);
  send_event(peer_, 1, 77);
  const auto digit = log_.next_is<DtmfReceived>();
  ASSERT_TRUE(digit);
  EXPECT_EQ(digit->digit, '1');
}

}  // namespace
}  // namespace rw::media::test
