#include "rtp/telephone_event.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "rtp/wire.h"

namespace rw::rtp {
namespace {

constexpr std::string_view digits = "0123456789*#ABCD";
constexpr std::uint16_t end_packets = 3;
constexpr std::uint8_t our_volume = 10;  // -10 dBm0
constexpr std::uint8_t end_bit = 0x80, volume_bits = 0x3F;
constexpr std::uint32_t longest_duration = 0xFFFF;
/// A packet whose number is further behind is not late: its sender has begun to count anew.
constexpr int most_behind = 100;
/// How much of a press may be unheard of because packets were lost, before what comes next is another press.
constexpr std::uint32_t slack_ms = 100;

}  // namespace

std::optional<std::uint8_t> event_of_digit(char digit) {
  const auto at = digits.find(digit);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint8_t>(at);
}

std::array<std::uint8_t, 4> event_payload(std::uint8_t event, bool end, std::uint8_t volume, std::uint64_t duration) {
  std::array<std::uint8_t, 4> payload{event, static_cast<std::uint8_t>((end ? end_bit : 0U) | (volume & volume_bits))};
  write16(&payload[2], static_cast<std::uint16_t>(std::min<std::uint64_t>(duration, longest_duration)));
  return payload;
}

// ------------------------------------------------------------------------------------------------------------ received

std::optional<Press> TelephoneEventReceiver::receive(const Packet& packet, std::uint32_t clock) {
  if (packet.payload.size() < 4) return std::nullopt;
  const Told told{packet.payload[0], (packet.payload[1] & end_bit) != 0, read16(&packet.payload[2])};
  Known* known = find(packet, told, clock);
  Press press;
  press.begins = known == nullptr;
  if (known == nullptr) {
    known = &begin(packet, told);
  } else if (is_late(*known, packet)) {
    press.late = true;
  } else {
    go_on(*known, packet, told);
  }
  press.number = known->number;
  press.event = told.event;
  press.digit = told.event < digits.size() ? digits[told.event] : '\0';
  press.ended = known->ended;
  press.volume = packet.payload[1] & volume_bits;
  press.duration = known->total;
  press.clock = clock;
  return press;
}

TelephoneEventReceiver::Known* TelephoneEventReceiver::find(const Packet& packet, Told told, std::uint32_t clock) {
  const auto from_newest = [&](auto&& take) -> Known* {
    for (std::size_t back = 1; back <= recent_.size(); ++back) {
      auto& one = recent_[(next_ + recent_.size() - back) % recent_.size()];
      if (!one || one->ssrc != packet.ssrc || one->event != told.event) continue;
      if (take(*one)) return &*one;
    }
    return nullptr;
  };
  // Of two with this timestamp it can only be the newer one.
  const auto has_timestamp = [&](const Known& one) { return packet.timestamp - one.first <= one.last - one.first; };
  if (Known* one = from_newest(has_timestamp)) return goes_on(*one, packet, told, clock) ? one : nullptr;
  // Of an older press it can be if it is older than the newer one.
  bool may_be = true;
  return from_newest([&](const Known& one) {
    if (!may_be) return false;
    if (goes_on(one, packet, told, clock)) return true;
    may_be = is_late(one, packet) && static_cast<std::int32_t>(packet.timestamp - one.first) < 0;
    return false;
  });
}

bool TelephoneEventReceiver::is_late(const Known& known, const Packet& packet) {
  const auto step = static_cast<std::int16_t>(packet.sequence - known.sequence);
  return step <= 0 && step > -most_behind;
}

/// Whether the packet, of the same SSRC and event, is of this press. A marker counts only where the packet before had
/// none: some senders set it in each.
bool TelephoneEventReceiver::goes_on(const Known& known, const Packet& packet, Told told, std::uint32_t clock) {
  const auto since = static_cast<std::int32_t>(packet.timestamp - known.first);
  const auto slack = std::int64_t{clock / 1000} * slack_ms;
  const std::int64_t span = std::int64_t{known.last - known.first} + known.duration;
  const bool segment = since % static_cast<std::int32_t>(longest_duration) == 0;
  if (is_late(known, packet)) return segment || (since >= -slack && since <= span + slack);
  if (since < 0) return false;
  const bool marks = packet.marker && !known.marked;
  const bool shorter = told.duration < known.duration;
  if (known.ended) return !marks && !shorter && since <= (told.end ? span + slack : span);
  if (packet.timestamp == known.last) return !(marks && shorter);
  if (since <= span) return true;
  // Something was lost, the end of this press perhaps.
  if (marks || (shorter && !segment)) return false;
  return segment || since <= span + std::max<std::int64_t>(slack, told.end ? told.duration : 0);
}

void TelephoneEventReceiver::go_on(Known& known, const Packet& packet, Told told) {
  known.sequence = packet.sequence;
  known.marked = packet.marker;
  known.ended = known.ended || told.end;
  if (packet.timestamp == known.last) {
    // The end may say less than the packets before it; then it says so each time.
    known.duration = told.end ? told.duration : std::max(known.duration, told.duration);
  } else {
    // Either the durations begin anew with each timestamp, or they count from the beginning of the press.
    if (told.duration < known.duration || (told.duration == known.duration && !told.end))
      known.before = packet.timestamp - known.first;
    known.last = packet.timestamp;
    known.duration = told.duration;
  }
  known.total = std::max(known.total, known.before + known.duration);
}

TelephoneEventReceiver::Known& TelephoneEventReceiver::begin(const Packet& packet, Told told) {
  std::size_t at = next_;
  next_ = (next_ + 1) % recent_.size();
  recent_[at] = {++presses_,    packet.ssrc, told.event,    packet.timestamp, packet.timestamp, packet.sequence,
                 told.duration, 0,           told.duration, told.end,         packet.marker};
  // Of a press it may be the first packet that is heard, and later ones have come before it: it goes behind them.
  for (std::size_t steps = 1; steps < recent_.size(); ++steps) {
    const std::size_t before = (at + recent_.size() - 1) % recent_.size();
    if (!recent_[before] || recent_[before]->ssrc != packet.ssrc || !is_late(*recent_[before], packet)) break;
    std::swap(recent_[before], recent_[at]);
    at = before;
  }
  return *recent_[at];
}

// ---------------------------------------------------------------------------------------------------------------- sent

TelephoneEventSender::TelephoneEventSender(char digit, std::chrono::milliseconds length, std::uint32_t clock)
    : event_(event_of_digit(digit).value_or(0)),
      frame_units_(clock / 50),
      frames_(static_cast<std::uint16_t>(std::clamp<std::int64_t>((length.count() + 19) / 20, 2, 400))) {}

std::optional<TelephoneEventSender::Step> TelephoneEventSender::next() {
  if (sent_ == frames_ + end_packets - 1) return std::nullopt;
  ++sent_;
  const std::uint64_t duration = std::uint64_t{std::min(sent_, frames_)} * frame_units_;
  return Step{event_payload(event_, sent_ >= frames_, our_volume, duration), sent_ == 1};
}

}  // namespace rw::rtp
