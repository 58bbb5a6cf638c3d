#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// What must outlive the process: notifications that have not been delivered, and sessions that are open.
namespace rw::ledger {

/// Events that more than their application knows of.
inline constexpr std::string_view alarm_event = "alarm", completed_event = "sessionCompleted";

/// One notification on its way to an application: all that is needed to deliver it, credentials excepted.
struct Notice {
  std::string lane;  ///< notices of one lane are delivered one after the other
  std::string domain, mediaservice;
  std::string base;   ///< callback base URL in place of the mediaservice's, or empty
  std::string event;  ///< "callNotify", …; "alarm": goes to the mediaservice's alarm URL
  std::string session_id, trace_id, call_id;
  std::string body;             ///< complete: a repetition is the same to the letter
  std::int64_t put_at = 0;      ///< ms since 1970
  std::uint64_t size() const {  ///< bytes that it counts for
    return body.size() + 512;
  }
};

/// What is known of a stored notice without reading it whole.
struct Waiting {
  std::int64_t number = 0;  ///< ascending in the order in which they were put
  std::string lane, domain, mediaservice, event, call_id;
};

}  // namespace rw::ledger
