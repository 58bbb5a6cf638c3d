// A leg's whole RTP schedule, with the leg that it is joined to and one that listens to both. The first byte chooses
// the sender: a phone that presses keys as RFC 4733 says, over a network that loses, doubles and reorders; or anybody,
// with any times, numbers, sources, payload types and sizes. Then no press becomes two, each has one timestamp on its
// way out and stays in order there, and nothing waits for ever.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "media/leg.h"

namespace rw::media {
namespace {

using namespace std::chrono_literals;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// What goes out to a side: its events in order.
class Outgoing {
 public:
  void sent(std::span<const std::uint8_t> bytes, const std::optional<rtp::EventFormat>& events) {
    const auto packet = rtp::Packet::parse(bytes);
    require(packet.has_value(), "what is sent is no RTP");
    const bool is_event = events && packet->payload_type == events->payload_type;
    const bool ahead = !highest_ || static_cast<std::int16_t>(packet->sequence - *highest_) > 0;
    if (is_event) event(*packet);
    if (ahead) highest_ = packet->sequence;
  }
  std::size_t presses() const { return begun_.size(); }

 private:
  void event(const rtp::Packet& packet) {
    require(packet.payload.size() == 4, "an event of another size");
    require(!highest_ || packet.sequence == static_cast<std::uint16_t>(*highest_ + 1), "an event out of order");
    const int duration = packet.payload[2] << 8 | packet.payload[3];
    if (current_ && current_->timestamp == packet.timestamp) {
      require(!packet.marker, "a press begins twice");
      require(current_->key == packet.payload[0], "two keys at one timestamp");
      require(duration >= current_->duration, "a press becomes shorter");
      require(!current_->ended || (packet.payload[1] & 0x80) != 0, "a press goes on behind its end");
    } else {
      require(packet.marker, "a press begins without a marker, or goes on behind another one");
      require(begun_.insert(packet.timestamp).second, "two presses at one timestamp");
    }
    current_ = Current{packet.timestamp, packet.payload[0], duration, (packet.payload[1] & 0x80) != 0};
  }

  struct Current {
    std::uint32_t timestamp;
    std::uint8_t key;
    int duration;
    bool ended;
  };
  std::optional<std::uint16_t> highest_;
  std::optional<Current> current_;
  std::set<std::uint32_t> begun_;
};

class Schedule {
 public:
  explicit Schedule(std::span<const std::uint8_t> script) : script_(script) {
    const std::uint8_t choice = next();
    well_behaved_ = choice % 2 == 0;
    own_source_ = choice % 4 < 2;
    constexpr std::array<rtp::Codec, 4> codecs{rtp::Codec::pcma, rtp::Codec::pcmu, rtp::Codec::gsm, rtp::Codec::opus};
    caller_events_ = {101, choice & 64 ? 48'000U : 8000U};
    if ((choice & 128) == 0) callee_events_ = rtp::EventFormat{97, choice & 32 ? 48'000U : 8000U};
    configure(caller_, codecs[0], caller_events_);
    configure(callee_, codecs[choice / 4 % 4], callee_events_);
    configure(monitor_, codecs[choice / 16 % 4], std::nullopt);
    caller_.start_timeout_watch(now_);
  }

  void run() {
    while (!script_.empty()) step();
    while (!delayed_.empty()) deliver(0);
    if (well_behaved_) {
      require(digits_ <= begun_, "more digits than presses");
      require(out_.presses() <= begun_ + ours_, "more presses on their way out than begun");
    }
    for (int digits = 0; digits <= 64 && callee_.player().busy(); ++digits) pass(200);  // as many as may wait
    require(!callee_.player().busy(), "digits that nobody sends");
  }

 private:
  std::uint8_t next() {
    if (script_.empty()) return 0;
    const std::uint8_t byte = script_.front();
    script_ = script_.subspan(1);
    return byte;
  }
  std::uint32_t next_word() {
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word = word << 8 | next();
    return word;
  }
  EventSink sink() {
    return [this](const Event& event) {
      if (std::holds_alternative<DtmfReceived>(event)) ++digits_;
    };
  }
  void configure(Leg& leg, rtp::Codec codec, const std::optional<rtp::EventFormat>& events) {
    LegParameters chosen;
    chosen.remote = remote_;
    chosen.codec = codec;
    chosen.payload_type = rtp::facts(codec).payload_type;
    for (const rtp::CodecFacts& facts : rtp::codecs) chosen.receive.push_back({facts.payload_type, facts.codec});
    chosen.telephone_event_send = events;
    if (events) chosen.telephone_event_receive = {*events};
    leg.configure(std::move(chosen), now_);
  }

  void step() {
    switch (next() % 12) {
      case 0:
        return pass(next());
      case 1:  // its stream is moved to another thread, or its peer is
        callee_.alone();
        return caller_.alone();
      case 2:
        if (ours_ < 32)
          ++ours_;
        else
          return;
        return callee_.player().add(SendDigits{unreported_play, std::string(1, "05#D"[next() % 4])});
      case 3:
        return audio();
      case 4:
        return deliver(next());
      case 5:
        return well_behaved_ ? pass(20) : configure(callee_, rtp::Codec::pcma, callee_events_);
      default:
        return well_behaved_ ? key() : anything();
    }
  }

  void pass(int ms) {
    for (; ms > 0; ms -= 20) {
      now_ += 20ms;
      clock_ += 160;
      for (Leg* leg : {&caller_, &callee_, &monitor_}) {
        const std::size_t length = leg->next_packet(buffer_, now_);
        if (length != 0 && leg == &callee_) out_.sent(std::span(buffer_).first(length), callee_events_);
        leg->packet_sent();
        leg->report_ended();
      }
    }
  }

  // ---- the phone

  struct Pressed {
    std::uint8_t key;
    std::uint32_t begun;
  };

  void audio() {
    const std::array<std::uint8_t, 160> payload{};
    const std::uint16_t sequence = own_source_ ? audio_sequence_++ : sequence_++;
    put(8, false, clock_, own_source_ ? 2 : 1, sequence, payload);
  }

  /// The next packet of the key that is pressed, or of another one.
  void key() {
    const std::uint8_t what = next();
    const std::uint32_t units = caller_events_.clock / 1000;
    if (!pressed_) {
      pass(60);  // nobody presses quicker
      pressed_ = Pressed{static_cast<std::uint8_t>(what % 3), clock_};
      ++begun_;
      told_ = 0;
      ends_ = 0;
    }
    const bool begins = told_++ == 0;
    if (ends_ == 0) length_ = (begins ? 0 : length_) + (what & 0x40 ? 100U : 20U) * units * (what & 0x80 ? 20 : 1);
    const std::uint32_t segment = length_ / 0xFFFF;
    const bool end = told_ > 4 && (ends_ > 0 || what % 8 == 0);
    ends_ += end;
    put(101, begins, pressed_->begun + segment * 0xFFFF, 1, sequence_++,
        rtp::event_payload(pressed_->key, end, 10, length_ % 0xFFFF));
    clock_ += what & 0x40 ? 800 : 160;
    if (ends_ == 3) {
      if (static_cast<std::int32_t>(pressed_->begun + length_ - clock_) > 0) clock_ = pressed_->begun + length_;
      clock_ += 480;
      pressed_.reset();
    }
  }

  void anything() {
    const std::uint8_t type = next();
    const std::uint32_t numbers = next_word();
    std::vector<std::uint8_t> payload(type & 8 ? 4 : next() % 200U * (type & 16 ? 8U : 1U));
    for (std::size_t at = 0; at < std::min<std::size_t>(payload.size(), 4); ++at) payload[at] = next();
    if (!payload.empty() && (type & 8) != 0) payload[0] %= 18;
    constexpr std::array<std::uint8_t, 4> types{101, 8, 3, 13};
    put(types[type % 4], (type & 32) != 0, (numbers >> 8 & 0xFFFF) * (type & 64 ? 160 : 1), numbers >> 24 & 3,
        static_cast<std::uint16_t>(numbers & 0xFF), payload);
  }

  // ---- the network

  void put(std::uint8_t type, bool marker, std::uint32_t timestamp, std::uint32_t ssrc, std::uint16_t sequence,
           std::span<const std::uint8_t> payload) {
    const rtp::Packet packet{type, marker, sequence, timestamp, ssrc, payload};
    std::vector<std::uint8_t> bytes(payload.size() + rtp::header_bytes);
    bytes.resize(packet.write(bytes));
    const std::uint8_t fate = next();
    if (fate < 64) return;  // lost
    delayed_.push_back(std::move(bytes));
    if (fate < 80) delayed_.push_back(delayed_.back());
    while (delayed_.size() > (fate < 128 ? 6U : 0U)) deliver(0);
  }

  void deliver(std::uint8_t which) {
    if (delayed_.empty()) return;
    // None is overtaken by more than a few: later ones may be of presses that have long begun.
    const std::size_t chosen = overtaken_ < 8 ? which % delayed_.size() : 0;
    overtaken_ = chosen == 0 ? 0 : overtaken_ + 1;
    const auto at = delayed_.begin() + static_cast<std::ptrdiff_t>(chosen);
    const std::vector<std::uint8_t> bytes = std::move(*at);
    delayed_.erase(at);
    const auto heard = caller_.receive_rtp(bytes, remote_, now_, counters_);
    if (!heard) return;
    if (heard->press.begins) require(numbers_.insert(heard->press.number).second, "a press begins twice");
    monitor_.mix(0, *heard);
    const std::size_t length = callee_.pass_on(*heard, buffer_, now_);
    if (length == 0) return;
    out_.sent(std::span(buffer_).first(length), callee_events_);
    callee_.passed_packet_sent();
    if (heard->codec) return;
    const auto [known, first] =
        timestamps_.emplace(heard->press.number, rtp::Packet::parse(std::span(buffer_).first(length))->timestamp);
    require(first || known->second == rtp::Packet::parse(std::span(buffer_).first(length))->timestamp,
            "a press has two timestamps");
  }

  std::span<const std::uint8_t> script_;
  bool well_behaved_ = true, own_source_ = false;
  rtp::EventFormat caller_events_;
  std::optional<rtp::EventFormat> callee_events_;
  const net::Address remote_ = *net::Address::from("192.0.2.1", 4000);
  TimePoint now_{1h};
  Counters counters_;
  std::size_t digits_ = 0, begun_ = 0, ours_ = 0;
  Leg caller_{1, sink(), Latch::off, 60s, {11, 1000, 1, 1, "a"}};
  Leg callee_{2, [](const Event&) {}, Latch::off, 60s, {22, 2000, 65'500, 1, "b"}};
  Leg monitor_{3, [](const Event&) {}, Latch::off, 60s, {33, 3000, 1, 1, "c"}};
  std::array<std::uint8_t, 2048> buffer_{};
  std::vector<std::vector<std::uint8_t>> delayed_;
  int overtaken_ = 0;
  Outgoing out_;
  std::set<std::uint32_t> numbers_;
  std::map<std::uint32_t, std::uint32_t> timestamps_;
  // The phone.
  std::uint32_t clock_ = 4'294'900'000, length_ = 0;
  std::uint16_t sequence_ = 65'000, audio_sequence_ = 7;
  std::optional<Pressed> pressed_;
  int told_ = 0, ends_ = 0;
};

}  // namespace
}  // namespace rw::media

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= 4096) rw::media::Schedule(std::span(data, size)).run();
  return 0;
}
