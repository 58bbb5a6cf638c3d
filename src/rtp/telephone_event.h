#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "base/time.h"
#include "rtp/packet.h"

/// DTMF digits as RTP events (RFC 4733).
namespace rw::rtp {

/// The event number of 0-9 * # A-D (0–15), or nothing.
std::optional<std::uint8_t> event_of_digit(char digit);

/// Finds the digits in a stream of telephone-event packets. A press is known by SSRC, timestamp and event, so that lost
/// markers, lost end packets, repetitions and reordering neither lose nor double a digit.
class TelephoneEventReceiver {
 public:
  /// The digit that `packet` begins, or nothing if it only continues one or is not DTMF.
  std::optional<char> receive(const Packet& packet);

 private:
  struct Press {
    std::uint32_t ssrc;
    std::uint32_t timestamp;
    std::uint8_t event;
    bool operator==(const Press&) const = default;
  };
  /// The last few, for packets that come late.
  std::array<std::optional<Press>, 4> recent_;
  std::size_t next_ = 0;
};

/// The packets of one digit, one every 20 ms: growing duration, then the end packet three times.
class TelephoneEventSender {
 public:
  /// `length` is rounded up to 20 ms.
  TelephoneEventSender(char digit, std::chrono::milliseconds length);

  struct Step {
    std::array<std::uint8_t, 4> payload;
    bool marker;
  };
  /// The payload for the next 20 ms; nothing when the digit is over. All go out with the timestamp of the first.
  std::optional<Step> next();

 private:
  std::uint8_t event_;
  std::uint16_t frames_;
  std::uint16_t sent_ = 0;
};

}  // namespace rw::rtp
