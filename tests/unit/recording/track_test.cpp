#include "recording/track.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "support/recording_test.h"

namespace rw::recording {
namespace {

using recording_test::Phone;
using recording_test::rms;
using recording_test::Samples;

const TimePoint start = TimePoint() + std::chrono::hours(1);

/// A packet that outlives the phone's next one.
struct Packet {
  media::RecordedPacket packet;
  std::vector<std::uint8_t> payload;
};
std::shared_ptr<Packet> kept(const media::RecordedPacket& packet) {
  auto copy = std::make_shared<Packet>(Packet{packet, {packet.payload.begin(), packet.payload.end()}});
  copy->packet.payload = copy->payload;
  return copy;
}

Samples taken(Track& track, std::size_t count) {
  const auto front = track.line().front(count);
  Samples samples(front.begin(), front.end());
  track.line().drop(count);
  return samples;
}

/// Whether `samples` are all silence in [from, to), in milliseconds at 8000 Hz.
bool silent(const Samples& samples, std::size_t from, std::size_t to) {
  return std::all_of(samples.begin() + static_cast<std::ptrdiff_t>(from * 8),
                     samples.begin() + static_cast<std::ptrdiff_t>(to * 8), [](auto sample) { return sample == 0; });
}

class TrackTest : public testing::Test {
 protected:
  Track track{8000, start};
  Phone phone{0, rtp::Codec::pcma, start};
};

TEST_F(TrackTest, PlacesTheFirstPacketByItsArrivalAndTheOthersByTimestamp) {
  Phone late(0, rtp::Codec::pcma, start + std::chrono::milliseconds(100));
  for (int count = 0; count < 10; ++count) {
    auto packet = late.next();
    if (count > 0) packet.at += std::chrono::milliseconds(count % 3 * 15);  // jitter
    track.put(packet);
  }
  track.settle_all();
  const auto samples = taken(track, 8000);
  EXPECT_TRUE(silent(samples, 0, 100));
  EXPECT_GT(rms(samples, 800, 1600), 5000);
  EXPECT_TRUE(silent(samples, 300, 1000));
}

TEST_F(TrackTest, GivesTheSameSoundInAnyOrderAndOnce) {
  Track ordered(8000, start);
  std::vector<std::shared_ptr<Packet>> packets;
  for (int count = 0; count < 50; ++count) packets.push_back(kept(phone.next()));
  for (const auto& each : packets) ordered.put(each->packet);
  // Swapped by up to five packets, and each one twice; what comes later says so.
  for (std::size_t at = 1; at + 6 < packets.size(); at += 7) {
    std::swap(packets[at], packets[at + 5]);
    std::swap(packets[at]->packet.at, packets[at + 5]->packet.at);
  }
  for (const auto& each : packets) {
    track.put(each->packet);
    track.put(each->packet);
  }
  ordered.settle_all();
  track.settle_all();
  EXPECT_EQ(taken(track, 8000), taken(ordered, 8000));
}

TEST_F(TrackTest, ConcealsWhatIsLostForSixtyMillisecondsAndThenIsSilent) {
  for (int count = 0; count < 10; ++count) track.put(phone.next());
  phone.skip(10);
  for (int count = 0; count < 10; ++count) track.put(phone.next());
  track.settle_all();
  const auto samples = taken(track, 8000);
  EXPECT_GT(rms(samples, 200 * 8, 160), 3000);
  EXPECT_LT(rms(samples, 240 * 8, 160), 2500);  // fading
  EXPECT_TRUE(silent(samples, 260, 400));
  EXPECT_GT(rms(samples, 400 * 8, 160), 5000);
  EXPECT_TRUE(silent(samples, 600, 1000));
}

TEST_F(TrackTest, IsSilentWhereNothingWasSent) {
  for (int count = 0; count < 10; ++count) track.put(phone.next());
  phone.pause(300);
  track.put(phone.next());
  track.settle_all();
  const auto samples = taken(track, 8000);
  EXPECT_GT(rms(samples, 0, 1600), 5000);
  EXPECT_TRUE(silent(samples, 200, 500));
  EXPECT_GT(rms(samples, 4000, 160), 4000);
  EXPECT_TRUE(silent(samples, 520, 1000));
}

TEST_F(TrackTest, PlacesANewStreamByItsArrival) {
  for (int count = 0; count < 5; ++count) track.put(phone.next());
  Phone other(0, rtp::Codec::g722, start + std::chrono::milliseconds(330));
  other.ssrc = 2;
  for (int count = 0; count < 5; ++count) track.put(other.next());
  track.settle_all();
  const auto samples = taken(track, 8000);
  EXPECT_TRUE(silent(samples, 100, 330));
  EXPECT_GT(rms(samples, 340 * 8, 80 * 8), 4000);
  EXPECT_TRUE(silent(samples, 430, 1000));
}

TEST_F(TrackTest, PlacesByArrivalWhatJumps) {
  for (int count = 0; count < 5; ++count) track.put(phone.next());
  auto jumped = kept(phone.next());
  jumped->packet.timestamp += 80'000;  // ten seconds
  track.put(jumped->packet);
  track.settle_all();
  const auto samples = taken(track, 8000);
  EXPECT_GT(rms(samples, 800, 160), 4000);
  EXPECT_TRUE(silent(samples, 120, 1000));
}

TEST_F(TrackTest, FollowsASenderThatBeginsToCountAnew) {
  for (int count = 0; count < 10; ++count) track.put(phone.next());
  for (int count = 0; count < 10; ++count) {
    auto packet = kept(phone.next());
    packet->packet.sequence = static_cast<std::uint16_t>(packet->packet.sequence - 5000);
    packet->packet.timestamp -= 4'000'000;
    track.put(packet->packet);
  }
  track.settle_all();
  const auto samples = taken(track, 8000);
  EXPECT_GT(rms(samples, 220 * 8, 180 * 8), 5000);  // the first one only proves it
  EXPECT_TRUE(silent(samples, 400, 1000));
}

TEST_F(TrackTest, TakesPacketsOfAnyLength) {
  Track both(8000, start);
  std::vector<std::uint8_t> longer;
  std::vector<std::shared_ptr<Packet>> packets;
  for (int count = 0; count < 48; ++count) packets.push_back(kept(phone.next()));
  for (const auto& each : packets) track.put(each->packet);
  for (std::size_t at = 0; at < packets.size(); at += 6) {  // 120 ms
    auto first = packets[at]->packet;
    longer.clear();
    for (std::size_t of = at; of < at + 6; ++of)
      longer.insert(longer.end(), packets[of]->payload.begin(), packets[of]->payload.end());
    first.payload = longer;
    first.sequence = static_cast<std::uint16_t>(at / 6);
    both.put(first);
  }
  track.settle_all();
  both.settle_all();
  EXPECT_EQ(taken(track, 8000), taken(both, 8000));
}

/// The first packets come late by 300 ms, together with those behind them, so that the stream is placed too late.
class LateStartTest : public testing::Test {
 protected:
  void send(int packets, double hz, std::int16_t level) {
    for (int count = 0; count < packets; ++count) {
      auto packet = phone.next(hz, level);
      packet.at = std::max(packet.at, start + std::chrono::milliseconds(300));
      track.put(packet);
    }
  }
  Track track{8000, start};
  Phone phone{0, rtp::Codec::pcma, start};
};

TEST_F(LateStartTest, IsNotHeardInThePitchOfWhoSpeaks) {
  for (int second = 0; second < 20; ++second) {
    send(50, 400, 8000);
    const auto samples = taken(track, 8000);
    if (second < 2) continue;
    int crossings = 0;
    for (std::size_t at = 1; at < samples.size(); ++at) crossings += samples[at - 1] < 0 && samples[at] >= 0 ? 1 : 0;
    EXPECT_NEAR(crossings, 400, 1.5) << second;
  }
}

TEST_F(LateStartTest, IsMadeUpForInSilence) {
  send(150, 400, 8000);
  send(25, 400, 0);
  send(50, 400, 8000);
  track.settle_all();
  const auto samples = taken(track, 5 * 8000);
  // Of half a second: shorter by what was too late, so that who speaks then is in their place. A-law has no 0.
  EXPECT_LT(rms(samples, 3330 * 8, 150 * 8), 20);
  EXPECT_GT(rms(samples, 3520 * 8, 900 * 8), 5000);
  EXPECT_TRUE(silent(samples, 4520, 5000));
}

/// How far the sound of a phone lies from where it belongs, in milliseconds: the phone sends 20 ms of sound each
/// second. The worst of an hour, but for the first seconds.
double worst_drift(rtp::Codec codec, std::uint32_t rate, double ppm, double most_jitter_ms) {
  Track track(rate, start);
  Phone phone(0, codec, start);
  phone.ppm = ppm;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> jitter(0, most_jitter_ms);
  double worst = 0;
  std::int64_t second = 0;
  std::deque<double> sent;  // when sound began, in seconds
  for (int count = 0; count < 3600 * 50; ++count) {
    const bool loud = count % 50 == 10;
    const auto when = std::chrono::duration<double>(phone.time() - start).count();
    auto packet = phone.next(1000, loud ? 12'000 : 0);
    if (loud) sent.push_back(when);
    packet.at += std::chrono::microseconds(static_cast<int>(1000 * jitter(random)));
    track.put(packet);
    // A second behind what was sent last, so that none lies at the border.
    while (!sent.empty() && when > sent.front() + 0.5) {
      const auto from = static_cast<std::int64_t>((sent.front() - 0.1) * rate);
      const auto skip = from - track.line().begins_at();
      if (skip > 0) track.line().drop(static_cast<std::size_t>(skip));
      const auto samples = track.line().front(rate / 4);
      const auto begin = std::find_if(samples.begin(), samples.end(), [](auto s) { return std::abs(s) > 3000; });
      const double at = static_cast<double>(track.line().begins_at() + (begin - samples.begin())) / rate;
      if (second++ > 30) worst = std::max(worst, begin == samples.end() ? 1000.0 : std::abs(at - sent.front()) * 1000);
      sent.pop_front();
    }
  }
  EXPECT_GT(second, 3590);
  return worst;
}

TEST(TrackDriftTest, StaysWithTheWallClockForAnHour) {
  EXPECT_LE(worst_drift(rtp::Codec::pcma, 8000, 300, 30), 20);
  EXPECT_LE(worst_drift(rtp::Codec::pcmu, 8000, -300, 30), 20);
  EXPECT_LE(worst_drift(rtp::Codec::pcma, 16000, 500, 60), 20);
  EXPECT_LE(worst_drift(rtp::Codec::g722, 16000, -500, 60), 20);
}

TEST(TrackRateTest, BringsTheTelephonesCodecsToSixteenKilohertz) {
  for (const auto codec : {rtp::Codec::pcma, rtp::Codec::gsm, rtp::Codec::g722, rtp::Codec::opus}) {
    Track track(16000, start);
    Phone phone(0, codec, start);
    for (int count = 0; count < 50; ++count) track.put(phone.next(700));
    track.settle_all();
    const auto samples = taken(track, 16000);
    int crossings = 0;
    for (std::size_t at = 4000; at < 12'000; ++at) crossings += (samples[at] < 0) != (samples[at + 1] < 0) ? 1 : 0;
    EXPECT_NEAR(crossings, 700, 4) << static_cast<int>(codec);
    EXPECT_NEAR(rms(samples, 4000, 8000), 8000 / std::sqrt(2), 900) << static_cast<int>(codec);
  }
}

TEST(TrackRateTest, StaysAlignedWhenTheCodecChanges) {
  Track track(16000, start);
  Phone narrow(0, rtp::Codec::pcma, start), wide(0, rtp::Codec::g722, start);
  for (int count = 0; count < 40; ++count) {  // one stream, one clock
    auto first = kept(narrow.next());
    const auto second = kept(wide.next());
    track.put(count / 10 % 2 == 0 ? first->packet : second->packet);
  }
  track.settle_all();
  const auto samples = taken(track, 16000);
  for (std::size_t at = 0; at + 320 <= 12'800; at += 320) {
    const bool finding_in = at == 3200 || at == 3520;  // G722, in the middle of a stream
    EXPECT_TRUE(finding_in || rms(samples, at, 320) > 3500) << at;
  }
  EXPECT_EQ(rms(samples, 12'800, 3200), 0);
}

TEST(TrackInputTest, TakesAnything) {
  Track track(16000, start);
  std::minstd_rand random(7);
  std::vector<std::uint8_t> payload(1500);
  for (int count = 0; count < 20'000; ++count) {
    for (auto& octet : payload) octet = static_cast<std::uint8_t>(random());
    media::RecordedPacket packet;
    packet.codec = static_cast<rtp::Codec>(random() % 5);
    packet.rtp_clock = static_cast<std::uint32_t>(random() % 10 == 0 ? 0 : random() % 96'000);
    packet.ssrc = static_cast<std::uint32_t>(random() % 50 == 0 ? random() : 1);
    packet.timestamp =
        static_cast<std::uint32_t>(static_cast<unsigned>(count) * 160 + (random() % 20 == 0 ? random() : 0));
    packet.sequence = static_cast<std::uint16_t>(static_cast<unsigned>(count) + random() % 40);
    packet.at = start + std::chrono::milliseconds(20) * count;
    packet.payload = std::span(payload).first(random() % 1500);
    track.put(packet);
    if (count % 10 == 0) taken(track, 3200);
  }
  track.settle_all();
}

}  // namespace
}  // namespace rw::recording
