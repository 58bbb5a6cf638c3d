#include "sip/session_timer.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "sip/header_values.h"
#include "sip/incoming_request.h"

namespace rw::sip {
namespace {

std::optional<std::uint32_t> seconds_of(const std::string* header) {
  if (header == nullptr) return std::nullopt;
  std::uint32_t seconds = 0;
  const auto read = std::from_chars(header->data(), header->data() + header->size(), seconds);
  if (read.ec != std::errc{}) return std::nullopt;
  return seconds;
}

bool names_us(const std::string* header, std::string_view role) {
  return header != nullptr && same_letters(parameter_of(*header, "refresher"), role);
}

}  // namespace

std::optional<SessionTimer> agree_session_timer(const Message& request, const SessionTimerLimits& limits) {
  SessionTimer timer;
  timer.peer_supports = lists(request, "Supported", "timer") || lists(request, "Require", "timer");
  const auto* header = request.header("Session-Expires");
  const auto asked = seconds_of(header);
  if (asked && *asked < limits.least) {
    // A request that a proxy has put the header into, from somebody who would not understand the 422: just longer.
    if (timer.peer_supports) return std::nullopt;
  }
  if (!timer.peer_supports && !asked) return timer;
  const auto least = std::max(limits.least, seconds_of(request.header("Min-SE")).value_or(0));
  timer.interval = std::max(least, asked ? std::min(*asked, std::max(limits.preferred, least)) : limits.preferred);
  timer.we_refresh = !timer.peer_supports || names_us(header, "uas");
  return timer;
}

SessionTimer session_timer_of(const Message& response, std::uint32_t least) {
  SessionTimer timer;
  const auto* header = response.header("Session-Expires");
  const auto interval = seconds_of(header);
  if (!interval) return timer;  // the other side does not want one (RFC 4028 7.2)
  timer.peer_supports = true;
  timer.interval = std::max(*interval, least);
  timer.we_refresh = !same_letters(parameter_of(*header, "refresher"), "uas");
  return timer;
}

void describe_session_timer(Message& response, const SessionTimer& timer) {
  if (timer.interval == 0) return;
  response.add("Session-Expires",
               std::to_string(timer.interval) + (timer.we_refresh ? ";refresher=uas" : ";refresher=uac"));
  if (!timer.we_refresh) response.add("Require", "timer");
}

}  // namespace rw::sip
