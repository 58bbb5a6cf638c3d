#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// How things end, in the API's words: one table each.
namespace rw::call {

/// sessionCompleted.reason.
enum class EndReason : std::uint8_t {
  normal,
  cancelled,
  rejected,
  busy,
  no_answer,
  failed,
  api_hangup,
  max_duration,
  rtp_timeout,
  session_expired,
  error,
  shutdown
};
std::string_view to_string(EndReason reason);

/// A SIP status with the text for a Reason header.
struct Refusal {
  int status;
  std::string_view text;
};
/// SIP statuses by dropCode, in place of the usual ones.
using DropCodes = std::map<std::string, int, std::less<>>;
/// What `dropCode` means; nothing if there is no such code. An empty code is dropNoMsg.
std::optional<Refusal> refusal_for(std::string_view drop_code, const DropCodes& changed = {});

/// How a participant's call came to its end, for the events that tell of it.
struct End {
  EndReason reason = EndReason::normal;
  int status = 0;           ///< sipResponseCode; 0: there is none
  std::string description;  ///< errorDescr; empty: the party hung up
  std::string sip_reason;   ///< the Reason header as received, or empty
};
/// Why a placed call failed, by its final response.
EndReason reason_of_failure(int status);

/// The Reason header (RFC 3326) of a BYE: SIP;cause=486;text="Busy here".
std::string reason_header(Refusal refusal);

/// What an unanswered caller gets when the application can't decide.
inline constexpr Refusal no_decision{480, "Temporarily unavailable"};
inline constexpr Refusal call_completed{200, "Call completed"};

}  // namespace rw::call
