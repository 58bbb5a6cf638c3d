#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sip/message.h"

/// Session timers (RFC 4028).
namespace rw::sip {

/// What a request and our 2xx have agreed.
struct SessionTimer {
  std::uint32_t interval = 0;  ///< seconds; 0: none
  bool we_refresh = false;
  bool peer_supports = false;
};

/// What we ask for and put up with.
struct SessionTimerLimits {
  std::uint32_t preferred = 1800;
  std::uint32_t least = 90;
};

/// Answers an INVITE or UPDATE. Nothing: its Session-Expires is below our minimum, so answer 422 with Min-SE.
std::optional<SessionTimer> agree_session_timer(const Message& request, const SessionTimerLimits& limits);
/// What a 2xx to our INVITE or UPDATE agrees to; an interval below `least` seconds is not believed.
SessionTimer session_timer_of(const Message& response, std::uint32_t least);
/// Puts the agreement into the 2xx.
void describe_session_timer(Message& response, const SessionTimer& timer);

}  // namespace rw::sip
