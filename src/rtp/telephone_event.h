#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "rtp/packet.h"

/// DTMF digits as RTP events (RFC 4733).
namespace rw::rtp {

/// How one side of a stream wants its events.
struct EventFormat {
  std::uint8_t payload_type = 101;
  std::uint32_t clock = 8000;  ///< Hz, of the durations: the rate in its rtpmap, not 0
  bool operator==(const EventFormat&) const = default;
};

/// The event number of 0-9 * # A-D (0–15), or nothing.
std::optional<std::uint8_t> event_of_digit(char digit);

/// What one packet tells of a press.
struct Press {
  std::uint32_t number = 0;  ///< of the press, as its receiver counts them
  std::uint8_t event = 0;
  char digit = 0;              ///< of the event; 0: it is not DTMF
  bool begins = false;         ///< this is the first that is heard of it
  bool late = false;           ///< the packet is double, or behind one that came before it: it tells nothing new
  bool ended = false;          ///< its end packet has come
  std::uint8_t volume = 0;     ///< as in the packet (RFC 4733 2.3.4)
  std::uint32_t duration = 0;  ///< since its beginning, over all its segments, in the clock of its events
  std::uint32_t clock = 8000;  ///< Hz
};

/// Finds the presses in a stream of telephone-event packets. Packets of one SSRC, event and timestamp are of one press,
/// so that lost markers, lost end packets, repetitions and reordering neither lose nor double it. So are the segments
/// of a long one (RFC 4733 2.5.1.3), and what senders make of it that move the timestamp within a press: an event that
/// begins before the last one of its kind is over, without an end packet, goes on with it. Behind an end packet a
/// marker or a shorter duration begins another press, even at the same timestamp.
class TelephoneEventReceiver {
 public:
  /// `clock`: Hz, as negotiated for the packet's payload type. Nothing if `packet` is too short to be one.
  std::optional<Press> receive(const Packet& packet, std::uint32_t clock = 8000);

 private:
  /// A press as far as it is known.
  struct Known {
    std::uint32_t number;
    std::uint32_t ssrc;
    std::uint8_t event;
    std::uint32_t first, last;  ///< timestamps
    std::uint16_t sequence;     ///< of the newest packet
    std::uint16_t duration;     ///< of the newest timestamp
    std::uint32_t before;       ///< duration of the segments before that
    std::uint32_t total;        ///< longest that was told
    bool ended;
    bool marked;  ///< the newest packet had a marker
  };
  /// One packet's fields.
  struct Told {
    std::uint8_t event;
    bool end;
    std::uint16_t duration;
  };
  Known* find(const Packet& packet, Told told, std::uint32_t clock);
  static bool is_late(const Known& known, const Packet& packet);
  static bool goes_on(const Known& known, const Packet& packet, Told told, std::uint32_t clock);
  static void go_on(Known& known, const Packet& packet, Told told);
  Known& begin(const Packet& packet, Told told);

  /// The last few, for packets that come late: from next_ on in the order in which their sender sent them.
  std::array<std::optional<Known>, 4> recent_;
  std::size_t next_ = 0;
  std::uint32_t presses_ = 0;
};

/// The payload of an event packet (RFC 4733 2.3). `duration` is cut to what fits.
std::array<std::uint8_t, 4> event_payload(std::uint8_t event, bool end, std::uint8_t volume, std::uint64_t duration);

/// The packets of one digit, one every 20 ms: growing duration, then the end packet three times.
class TelephoneEventSender {
 public:
  /// `length` is rounded up to 20 ms. `clock`: Hz, of the durations.
  TelephoneEventSender(char digit, std::chrono::milliseconds length, std::uint32_t clock = 8000);

  struct Step {
    std::array<std::uint8_t, 4> payload;
    bool marker;
  };
  /// The payload for the next 20 ms; nothing when the digit is over. All go out with the timestamp of the first.
  std::optional<Step> next();

 private:
  std::uint8_t event_;
  std::uint32_t frame_units_;  ///< of 20 ms
  std::uint16_t frames_;
  std::uint16_t sent_ = 0;
};

}  // namespace rw::rtp
