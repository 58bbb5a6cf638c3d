#include "call/outcome.h"

#include <array>
#include <utility>

namespace rw::call {

std::string_view to_string(EndReason reason) {
  switch (reason) {
    case EndReason::normal:
      return "normal";
    case EndReason::cancelled:
      return "cancelled";
    case EndReason::rejected:
      return "rejected";
    case EndReason::busy:
      return "busy";
    case EndReason::no_answer:
      return "noAnswer";
    case EndReason::failed:
      return "failed";
    case EndReason::api_hangup:
      return "apiHangup";
    case EndReason::max_duration:
      return "maxDuration";
    case EndReason::rtp_timeout:
      return "rtpTimeout";
    case EndReason::session_expired:
      return "sessionExpired";
    case EndReason::error:
      return "error";
    case EndReason::shutdown:
      return "shutdown";
  }
  return "error";
}

std::optional<Refusal> refusal_for(std::string_view drop_code, const DropCodes& changed) {
  static constexpr std::array<std::pair<std::string_view, Refusal>, 6> table{{
      {"busy", {486, "Busy here"}},
      {"error", {500, "Server error"}},
      {"numberNotFound", {404, "Number not found"}},
      {"numberNotActive", {403, "Number not active"}},
      {"dropNoMsg", {603, "Declined"}},
      {"temporarilyUnavailable", {480, "Temporarily unavailable"}},
  }};
  if (drop_code.empty()) drop_code = "dropNoMsg";
  for (const auto& [code, refusal] : table) {
    if (code != drop_code) continue;
    const auto other = changed.find(drop_code);
    return other == changed.end() ? refusal : Refusal{other->second, refusal.text};
  }
  return std::nullopt;
}

EndReason reason_of_failure(int status) {
  switch (status) {
    case 486:
    case 600:
      return EndReason::busy;
    case 408:
    case 480:
      return EndReason::no_answer;
    default:
      return EndReason::failed;
  }
}

std::string reason_header(Refusal refusal) {
  return "SIP;cause=" + std::to_string(refusal.status) + ";text=\"" + std::string(refusal.text) + "\"";
}

}  // namespace rw::call
