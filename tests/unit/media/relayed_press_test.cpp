// Presses of keys on their way from one leg to another, with a clock of the test's own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "media/leg.h"

namespace rw::media {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::uint8_t event_type = 101;

/// One that hears keys, and one to whom they are passed on.
class RelayedPressTest : public testing::Test {
 protected:
  RelayedPressTest() {
    heard_.configure(parameters(rtp::Codec::pcma), now_);
    told_.configure(parameters(rtp::Codec::pcma), now_);
  }
  static LegParameters parameters(rtp::Codec codec, std::uint32_t event_clock = 8000) {
    LegParameters chosen;
    chosen.remote = *net::Address::from("192.0.2.1", 4000);
    chosen.codec = codec;
    chosen.payload_type = rtp::facts(codec).payload_type;
    chosen.receive = {{rtp::facts(codec).payload_type, codec}};
    chosen.telephone_event_send = rtp::EventFormat{event_type, event_clock};
    chosen.telephone_event_receive = {{event_type, event_clock}};
    return chosen;
  }
  EventSink sink() {
    return [this](const Event& event) {
      if (const auto* digit = std::get_if<DtmfReceived>(&event)) digits_ += digit->digit;
    };
  }
  void keep(std::size_t length) {
    if (length == 0) return;
    sent_.emplace_back(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(length));
  }
  /// The time up to `at`, with the frames of our own that are due.
  void pass_to(std::chrono::milliseconds at) {
    const TimePoint until = start_ + at;
    for (; next_frame_ <= until; next_frame_ += 20ms) {
      now_ = next_frame_;
      keep(told_.next_packet(out_, now_));
      told_.packet_sent();
    }
    now_ = until;
  }
  void send(std::uint8_t payload_type, bool marker, std::uint32_t timestamp, std::uint32_t ssrc, std::uint16_t sequence,
            std::span<const std::uint8_t> payload) {
    std::array<std::uint8_t, 1500> bytes;
    const rtp::Packet packet{payload_type, marker, sequence, timestamp, ssrc, payload};
    const auto heard = heard_.receive_rtp(std::span(bytes).first(packet.write(bytes)),
                                          *net::Address::from("192.0.2.1", 4000), now_, counters_);
    if (!heard) return;
    const std::size_t length = told_.pass_on(*heard, out_, now_);
    keep(length);
    if (length != 0) told_.passed_packet_sent();
  }
  void event(std::chrono::milliseconds at, int key, int duration, bool end = false, std::uint32_t timestamp = 50'000,
             std::uint32_t ssrc = 1) {
    pass_to(at);
    const auto payload =
        rtp::event_payload(static_cast<std::uint8_t>(key), end, 10, static_cast<std::uint64_t>(duration));
    const bool marker = !std::exchange(begun_, true);
    send(event_type, marker, timestamp, ssrc, event_sequence_++, payload);
  }
  void audio(std::chrono::milliseconds at, std::uint8_t payload_type = 8) {
    pass_to(at);
    const std::vector<std::uint8_t> payload(160, 0x2A);
    send(payload_type, false, static_cast<std::uint32_t>(at.count() * 8), 9, audio_sequence_++, payload);
  }
  std::vector<rtp::Packet> packets() const {
    std::vector<rtp::Packet> all;
    for (const auto& bytes : sent_) all.push_back(*rtp::Packet::parse(bytes));
    return all;
  }
  /// The presses that the other side counts: by their timestamps.
  std::string presses() const {
    std::vector<std::uint32_t> seen;
    std::string keys;
    for (const rtp::Packet& packet : packets()) {
      if (packet.payload_type != event_type || std::ranges::find(seen, packet.timestamp) != seen.end()) continue;
      seen.push_back(packet.timestamp);
      EXPECT_TRUE(packet.marker);
      keys += "0123456789*#ABCD"[packet.payload[0]];
    }
    return keys;
  }
  std::vector<int> durations() const {
    std::vector<int> all;
    for (const rtp::Packet& packet : packets())
      if (packet.payload_type == event_type) all.push_back(packet.payload[2] << 8 | packet.payload[3]);
    return all;
  }
  void expect_one_stream() const {
    const auto all = packets();
    for (std::size_t at = 1; at < all.size(); ++at) {
      EXPECT_EQ(all[at].sequence, static_cast<std::uint16_t>(all[at - 1].sequence + 1));
      EXPECT_EQ(all[at].ssrc, all[0].ssrc);
    }
  }

  std::string digits_;
  Counters counters_;
  const TimePoint start_{1h};
  TimePoint now_ = start_, next_frame_ = start_ + 7ms;
  Leg heard_{1, sink(), Latch::off, 60s, {1111, 100, 1, 1, "a"}};
  Leg told_{2, sink(), Latch::off, 60s, {2222, 70'000, 65'530, 1, "b"}};
  std::array<std::uint8_t, 1500> out_;
  std::vector<std::vector<std::uint8_t>> sent_;
  std::uint16_t event_sequence_ = 500, audio_sequence_ = 500;
  bool begun_ = false;
};

TEST_F(RelayedPressTest, IsOnePressThoughItsPacketsPause) {
  const std::array<int, 9> times{0, 35, 100, 135, 200, 250, 315, 335, 355};
  for (std::size_t at = 0; at < times.size(); ++at)
    event(1ms * times[at], 5, 8 * std::min(times[at] + 35, 350), at >= 6);
  pass_to(800ms);
  EXPECT_EQ(presses(), "5");
  EXPECT_EQ(digits_, "5");
  EXPECT_THAT(durations(), ElementsAre(280, 560, 1080, 1360, 1880, 2280, 2800, 2800, 2800));
  expect_one_stream();
}

TEST_F(RelayedPressTest, IsOnePressThoughSilenceIsSentInBetween) {
  event(0ms, 5, 400);
  event(500ms, 5, 4400);  // what was between was lost
  event(1000ms, 5, 8000, true);
  pass_to(1200ms);
  EXPECT_EQ(presses(), "5");
  EXPECT_GT(packets().size(), 20U) << "the stream has not stopped";
  expect_one_stream();
}

TEST_F(RelayedPressTest, IsOnePressWithASourceOfItsOwnWhileAudioGoesOn) {
  for (int at = 0; at < 400; at += 20) {
    audio(1ms * at);
    if (at >= 100 && at < 300) event(1ms * (at + 3), 5, 8 * (at - 80), at >= 240, 777'777, 2);
  }
  EXPECT_EQ(presses(), "5");
  expect_one_stream();
  std::vector<std::uint32_t> of_audio;
  for (const rtp::Packet& packet : packets())
    if (packet.payload_type == 8) of_audio.push_back(packet.timestamp);
  ASSERT_EQ(of_audio.size(), 20U);
  for (std::size_t at = 1; at < of_audio.size(); ++at) EXPECT_EQ(of_audio[at] - of_audio[at - 1], 160U);
}

TEST_F(RelayedPressTest, KeepsItsPlaceInTheAudio) {
  for (int at = 0; at < 100; at += 20) audio(1ms * at);
  event_sequence_ = audio_sequence_;
  for (int at = 100; at < 200; at += 20) event(1ms * at, 5, 8 * (at - 80), at >= 140, 800, 9);
  audio_sequence_ = event_sequence_;
  for (int at = 200; at < 300; at += 20) audio(1ms * at);
  EXPECT_EQ(presses(), "5");
  expect_one_stream();
  const auto all = packets();
  ASSERT_EQ(all.size(), 15U);
  EXPECT_EQ(all[5].timestamp, all[4].timestamp + 160) << "the event begins where the audio ends";
  EXPECT_EQ(all[10].timestamp, all[4].timestamp + 6 * 160) << "and the audio goes on in its time";
}

TEST_F(RelayedPressTest, TheSameKeyAgainIsAnotherPressWhateverItsTimestamp) {
  for (int press = 0; press < 3; ++press) {
    begun_ = false;
    for (int at = 0; at < 7; ++at) event(1ms * (press * 150 + at * 20), 1, 160 * std::min(at + 1, 5), at >= 4);
  }
  EXPECT_EQ(presses(), "111");
  EXPECT_EQ(digits_, "111");
}

TEST_F(RelayedPressTest, ALongOneKeepsItsTimestampAndItsDurationOnlyGrows) {
  for (int at = 0; at < 9000; at += 50) {
    const int segment = at * 8 / 65'535;
    event(1ms * at, 5, at * 8 + 400 - segment * 65'535, at == 8950,
          50'000 + static_cast<std::uint32_t>(segment) * 65'535);
  }
  EXPECT_EQ(presses(), "5");
  const auto all = durations();
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_EQ(all.back(), 0xFFFF);
}

TEST_F(RelayedPressTest, LateAndDoublePacketsAreNotToldAgain) {
  for (const int sequence : {500, 502, 501, 502, 505, 503, 506}) {
    event_sequence_ = static_cast<std::uint16_t>(sequence);
    event(1ms * (sequence - 500) * 20, 5, 160 * (sequence - 499), sequence >= 505);
  }
  EXPECT_EQ(presses(), "5");
  EXPECT_THAT(durations(), ElementsAre(160, 480, 960, 1120));
  expect_one_stream();
}

TEST_F(RelayedPressTest, CountsInTheClockOfTheSideThatHearsIt) {
  told_.configure(parameters(rtp::Codec::opus, 48'000), now_);
  for (int at = 0; at < 5; ++at) event(20ms * at, 5, 160 * (at + 1), at >= 2);
  EXPECT_EQ(presses(), "5");
  EXPECT_THAT(durations(), ElementsAre(960, 1920, 2880, 3840, 4800));
}

TEST_F(RelayedPressTest, PassesWhileTheAudioIsConverted) {
  told_.configure(parameters(rtp::Codec::gsm), now_);
  for (int at = 0; at < 400; at += 20) {
    audio(1ms * at);
    if (at >= 100 && at < 300) event(1ms * (at + 3), 5, 8 * (at - 80), at >= 240, 777'777, 2);
  }
  EXPECT_EQ(presses(), "5");
  expect_one_stream();
}

TEST_F(RelayedPressTest, IsNotHeardByWhoWasNotThereWhenItBegan) {
  std::array<std::uint8_t, 1500> bytes;
  const auto payload = rtp::event_payload(5, false, 10, 160);
  const rtp::Packet first{event_type, true, 499, 50'000, 1, payload};
  ASSERT_TRUE(heard_.receive_rtp(std::span(bytes).first(first.write(bytes)), *net::Address::from("192.0.2.1", 4000),
                                 now_, counters_));
  event(20ms, 5, 320);
  event(40ms, 5, 480, true);
  EXPECT_EQ(presses(), "");
  event(400ms, 6, 480, true, 60'000);
  EXPECT_EQ(presses(), "6");
}

TEST_F(RelayedPressTest, WaitsBehindDigitsOfOurOwn) {
  told_.player().add(SendDigits{unreported_play, "7", 100ms, 100ms});
  pass_to(10ms);
  for (int at = 0; at < 5; ++at) event(30ms + 20ms * at, 5, 160 * (at + 1), at >= 2);
  pass_to(600ms);
  EXPECT_EQ(presses(), "75");
}

TEST_F(RelayedPressTest, MoreThanCanBeSentAreDropped) {
  LegParameters without = parameters(rtp::Codec::pcma);
  without.telephone_event_send.reset();
  told_.configure(without, now_);
  for (std::uint32_t press = 0; press < 1000; ++press) event(10ms, 5, 160, true, 50'000 + press * 8000);
  EXPECT_EQ(digits_.size(), 100U) << "nobody presses more in a second";
  pass_to(64 * 200ms + 100ms);
  EXPECT_FALSE(told_.player().busy());
}

}  // namespace
}  // namespace rw::media
