#include "media/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "event_log.h"
#include "media/codec.h"
#include "media/tone.h"
#include "peer.h"

namespace rw::media {
namespace {

using namespace std::chrono_literals;
using test::Datagram;
using test::EventLog;
using test::Peer;

/// `frames` frames, each of samples that tell its number.
SoundPtr numbered_sound(int frames, int base, rtp::Codec codec = rtp::Codec::pcma) {
  std::vector<std::int16_t> samples;
  for (int frame = 0; frame < frames; ++frame)
    samples.insert(samples.end(), frame_samples, static_cast<std::int16_t>((base + frame) * 256));
  auto sound = std::make_shared<Sound>(std::move(samples), 8000U);
  sound->encode(codec);
  return sound;
}

std::uint8_t alaw_of(int number) {
  return to_alaw(static_cast<std::int16_t>(number * 256));
}

/// Both ways of doing input and output are held to the same tests.
class EngineTest : public ::testing::TestWithParam<bool> {
 protected:
  static EngineOptions options() {
    EngineOptions options;
    options.address = *net::Address::from("127.0.0.1", 0);
    options.first_port = 42000;
    options.last_port = 42999;
    options.workers = 2;
    options.port_rest = 0s;
    options.allow_io_uring = GetParam();
    return options;
  }
  LegParameters parameters() const {
    LegParameters parameters;
    parameters.remote = peer_.address();
    parameters.remote_rtcp = rtcp_peer_.address();
    parameters.receive = {{8, rtp::Codec::pcma}, {0, rtp::Codec::pcmu}};
    parameters.telephone_event_send = 101;
    parameters.telephone_event_receive = 101;
    return parameters;
  }
  void open(EngineOptions chosen = options()) { engine_.emplace(std::move(chosen)); }
  /// A configured and answered leg.
  void begin(LegParameters chosen) {
    if (!engine_) open();
    const auto created = engine_->create(log_.sink());
    ASSERT_TRUE(created) << created.error().message;
    leg_ = created->leg;
    local_ = *net::Address::from("127.0.0.1", created->port);
    engine_->configure(leg_, std::move(chosen));
    engine_->start_timeout_watch(leg_);
  }
  void begin() { begin(parameters()); }
  void play(PlayId id, SoundPtr sound, bool loop = false, std::chrono::milliseconds pause = 0ms) {
    engine_->play(leg_, {id, std::move(sound), 0ms, loop, pause});
  }
  static bool is_frame(const Datagram& datagram, std::uint8_t code) {
    return datagram.rtp().payload.size() == 160 && datagram.rtp().payload[80] == code;
  }
  Peer peer_, rtcp_peer_;
  EventLog log_;
  std::optional<Engine> engine_;
  LegId leg_ = 0;
  net::Address local_;
};

INSTANTIATE_TEST_SUITE_P(Io, EngineTest, ::testing::Values(true, false),
                         [](const auto& test) { return test.param ? std::string("uring") : std::string("epoll"); });

TEST_P(EngineTest, SendsSilenceFromConfigureOnWithoutGap) {
  begin();
  const auto packets = peer_.receive_many(20);
  ASSERT_EQ(packets.size(), 20U);
  const rtp::Packet first = packets.front().rtp();
  EXPECT_TRUE(first.marker);
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
}

TEST_P(EngineTest, UsesIoUringOnlyIfAllowed) {
  open();
  EXPECT_TRUE(GetParam() || !engine_->statistics().io_uring);
}

TEST_P(EngineTest, PlaysItemsOneAfterTheOtherWithoutSilenceBetween) {
  begin();
  play(1, numbered_sound(3, 10));
  play(2, numbered_sound(2, 20));
  auto packet = peer_.receive_until([](const Datagram& datagram) { return is_frame(datagram, alaw_of(10)); });
  ASSERT_TRUE(packet);
  for (const int expected : {11, 12, 20, 21}) EXPECT_TRUE(is_frame(*peer_.receive(), alaw_of(expected))) << expected;
  EXPECT_TRUE(is_frame(*peer_.receive(), 0xD5));
  auto ended = log_.next_is<PlayEnded>();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->play, 1U);
  EXPECT_TRUE(ended->completed);
  ended = log_.next_is<PlayEnded>();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->play, 2U);
}

}  // namespace
}  // namespace rw::media
