#include "rtp/telephone_event.h"

#include <algorithm>
#include <string_view>

#include "rtp/wire.h"

namespace rw::rtp {
namespace {

constexpr std::string_view digits = "0123456789*#ABCD";
constexpr std::uint16_t samples_per_frame = 160;
constexpr std::uint16_t end_packets = 3;
constexpr std::uint8_t volume = 10;  // -10 dBm0

}  // namespace

std::optional<std::uint8_t> event_of_digit(char digit) {
  const auto at = digits.find(digit);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint8_t>(at);
}

std::optional<char> TelephoneEventReceiver::receive(const Packet& packet) {
  if (packet.payload.size() < 4 || packet.payload[0] >= digits.size()) return std::nullopt;
  const Press press{packet.ssrc, packet.timestamp, packet.payload[0]};
  if (std::find(recent_.begin(), recent_.end(), press) != recent_.end()) return std::nullopt;
  recent_[next_] = press;
  next_ = (next_ + 1) % recent_.size();
  return digits[press.event];
}

TelephoneEventSender::TelephoneEventSender(char digit, std::chrono::milliseconds length)
    : event_(event_of_digit(digit).value_or(0)),
      frames_(static_cast<std::uint16_t>(std::clamp<std::int64_t>((length.count() + 19) / 20, 2, 400))) {}

std::optional<TelephoneEventSender::Step> TelephoneEventSender::next() {
  if (sent_ == frames_ + end_packets - 1) return std::nullopt;
  ++sent_;
  const bool end = sent_ >= frames_;
  const auto duration = static_cast<std::uint16_t>(std::min(sent_, frames_) * samples_per_frame);
  Step step{{event_, static_cast<std::uint8_t>((end ? 0x80U : 0U) | volume), 0, 0}, sent_ == 1};
  write16(&step.payload[2], duration);
  return step;
}

}  // namespace rw::rtp
