#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "event_log.h"
#include "media/codec.h"
#include "media/engine.h"
#include "peer.h"

namespace rw::media::test {

using namespace std::chrono_literals;

/// `frames` frames, each of samples that tell its number.
inline SoundPtr numbered_sound(int frames, int base, rtp::Codec codec = rtp::Codec::pcma) {
  std::vector<std::int16_t> samples;
  for (int frame = 0; frame < frames; ++frame)
    samples.insert(samples.end(), frame_samples, static_cast<std::int16_t>((base + frame) * 256));
  auto sound = std::make_shared<Sound>(std::move(samples), 8000U);
  sound->encode(codec);
  return sound;
}

inline std::uint8_t alaw_of(int number) {
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
    parameters.telephone_event_send = rtp::EventFormat{101, 8000};
    parameters.telephone_event_receive = {{101, 8000}};
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
  /// Whether the peer's next packet is a frame of `code`.
  bool next_is(std::uint8_t code) {
    const std::optional<Datagram> datagram = peer_.receive();
    return datagram && is_frame(*datagram, code);
  }
  /// Passes over the peer's packets up to a frame of `code`.
  bool receive_frame(std::uint8_t code) {
    return peer_.receive_until([&](const Datagram& datagram) { return is_frame(datagram, code); }).has_value();
  }

  Peer peer_, rtcp_peer_;
  EventLog log_;
  std::optional<Engine> engine_;
  LegId leg_ = 0;
  net::Address local_;
};

inline std::string io_name(const testing::TestParamInfo<bool>& test) {
  return test.param ? "uring" : "epoll";
}

}  // namespace rw::media::test
