// What a recording gets of a leg.

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "engine_fixture.h"

namespace rw::media::test {
namespace {

/// Keeps copies; may be awaited.
class KeepingTap final : public RecordingTap {
 public:
  struct Kept {
    RecordedPacket packet;
    std::vector<std::uint8_t> payload;
  };
  void put(const RecordedPacket& packet) override {
    const std::lock_guard lock(mutex_);
    kept_.push_back({packet, {packet.payload.begin(), packet.payload.end()}});
    changed_.notify_all();
  }
  /// The first packet of the channel whose payload is made of `code`.
  std::optional<Kept> await(std::uint8_t channel, std::uint8_t code) {
    std::unique_lock lock(mutex_);
    std::optional<Kept> found;
    changed_.wait_for(lock, patience, [&] {
      const auto at = std::ranges::find_if(kept_, [&](const Kept& one) {
        return one.packet.channel == channel && one.payload.size() == 160 && one.payload[80] == code;
      });
      if (at != kept_.end()) found = *at;
      return found.has_value();
    });
    return found;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Kept> kept_;
};

class EngineRecordTest : public EngineTest {
 protected:
  void say(std::uint8_t code, std::uint8_t payload_type = 8) {
    const std::vector<std::uint8_t> frame(160, code);
    peer_.send_rtp(local_, payload_type, frame);
  }
  std::shared_ptr<KeepingTap> tap_ = std::make_shared<KeepingTap>();
};

INSTANTIATE_TEST_SUITE_P(Io, EngineRecordTest, ::testing::Values(true, false), io_name);

TEST_P(EngineRecordTest, GetsWhatTheLegHearsAsItCame) {
  begin();
  engine_->record(leg_, {tap_, RecordedSide::heard, 1});
  ASSERT_TRUE(peer_.receive());
  const auto before = Clock::now();
  say(0x2A, 0);
  const auto kept = tap_->await(1, 0x2A);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->packet.codec, rtp::Codec::pcmu);
  EXPECT_EQ(kept->packet.ssrc, 0x1234U);
  EXPECT_EQ(kept->packet.timestamp, 5000U);
  EXPECT_EQ(kept->packet.sequence, 100U);
  EXPECT_EQ(kept->packet.rtp_clock, 8000U);
  EXPECT_GE(kept->packet.at + 20ms, before);
  EXPECT_EQ(tap_->count(), 1U);
}

TEST_P(EngineRecordTest, GetsWhatIsPlayed) {
  begin();
  engine_->record(leg_, {tap_, RecordedSide::sent, 1});
  play(1, numbered_sound(3, 1));
  const auto first = tap_->await(1, alaw_of(1)), last = tap_->await(1, alaw_of(3));
  ASSERT_TRUE(first && last);
  EXPECT_EQ(last->packet.timestamp - first->packet.timestamp, 320U);
  EXPECT_EQ(static_cast<std::uint16_t>(last->packet.sequence - first->packet.sequence), 2U);
}

TEST_P(EngineRecordTest, GetsNothingAfterItWasStopped) {
  begin();
  const auto other = std::make_shared<KeepingTap>();
  engine_->record(leg_, {tap_, RecordedSide::heard, 0});
  engine_->record(leg_, {other, RecordedSide::heard, 0});
  ASSERT_TRUE(peer_.receive());
  say(0x11);
  ASSERT_TRUE(tap_->await(0, 0x11));
  engine_->stop_recording(leg_, tap_);
  play(1, numbered_sound(1, 1));
  ASSERT_TRUE(receive_frame(alaw_of(1)));  // the command before it has been taken
  say(0x22);
  ASSERT_TRUE(other->await(0, 0x22));
  EXPECT_EQ(tap_->count(), 1U);
  EXPECT_EQ(tap_.use_count(), 1);
}

TEST_P(EngineRecordTest, GoesAlongWhenTheLegMoves) {
  auto spread = options();
  spread.legs_per_worker = 1;
  open(std::move(spread));
  begin();
  const LegId moving = leg_;
  engine_->record(moving, {tap_, RecordedSide::heard, 0});
  const auto local = local_;
  Peer other_peer;
  auto other_side = parameters();
  other_side.remote = other_peer.address();
  begin(other_side);
  engine_->join(leg_, moving);
  const std::vector<std::uint8_t> frame(160, 0x33);
  ASSERT_TRUE(other_peer.receive_until([&](const Datagram& datagram) {
    peer_.send_rtp(local, 8, frame);
    return is_frame(datagram, 0x33);
  }));
  EXPECT_TRUE(tap_->await(0, 0x33));
}

TEST_P(EngineRecordTest, IsLetGoOfWithTheLeg) {
  begin();
  engine_->record(leg_, {tap_, RecordedSide::heard, 0});
  engine_->release(leg_);
  EXPECT_TRUE(log_.next_is<LegReleased>());
  engine_.reset();
  EXPECT_EQ(tap_.use_count(), 1);
}

TEST_P(EngineRecordTest, TellsOnceWhenTheOtherSideFallsSilent) {
  begin();
  engine_->watch_silence(leg_, 200ms);
  ASSERT_TRUE(peer_.receive());
  TimePoint last;
  for (int i = 0; i < 20; ++i) {  // paced by what is heard
    say(0x00);
    last = Clock::now();
    ASSERT_TRUE(peer_.receive());
  }
  ASSERT_TRUE(log_.next_is<FellSilent>());
  EXPECT_GE(Clock::now() - last, 180ms);
  engine_->watch_silence(leg_, 100ms);
  for (int i = 0; i < 10; ++i) {
    say(0xD5);  // digital silence is as silent as none
    ASSERT_TRUE(peer_.receive());
  }
  EXPECT_TRUE(log_.next_is<FellSilent>());
  engine_->watch_silence(leg_, 50ms);
  engine_->watch_silence(leg_, 0ms);
  engine_->play(leg_, {5, numbered_sound(10, 1), 0ms, false, 0ms});
  EXPECT_TRUE(log_.next_is<PlayEnded>());
}

}  // namespace
}  // namespace rw::media::test
