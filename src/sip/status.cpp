#include "sip/status.h"

#include <algorithm>
#include <array>
#include <utility>

namespace rw::sip {

std::string_view reason_phrase(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 43> phrases{{
      {100, "Trying"},
      {180, "Ringing"},
      {181, "Call Is Being Forwarded"},
      {182, "Queued"},
      {183, "Session Progress"},
      {200, "OK"},
      {202, "Accepted"},
      {300, "Multiple Choices"},
      {301, "Moved Permanently"},
      {302, "Moved Temporarily"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {407, "Proxy Authentication Required"},
      {408, "Request Timeout"},
      {410, "Gone"},
      {413, "Request Entity Too Large"},
      {415, "Unsupported Media Type"},
      {416, "Unsupported URI Scheme"},
      {420, "Bad Extension"},
      {422, "Session Interval Too Small"},
      {480, "Temporarily Unavailable"},
      {481, "Call/Transaction Does Not Exist"},
      {482, "Loop Detected"},
      {483, "Too Many Hops"},
      {484, "Address Incomplete"},
      {486, "Busy Here"},
      {487, "Request Terminated"},
      {488, "Not Acceptable Here"},
      {491, "Request Pending"},
      {494, "Security Agreement Required"},
      {500, "Server Internal Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Server Time-out"},
      {505, "Version Not Supported"},
      {513, "Message Too Large"},
      {600, "Busy Everywhere"},
      {603, "Decline"},
      {606, "Not Acceptable"},
  }};
  const auto found =
      std::find_if(phrases.begin(), phrases.end(), [status](const auto& one) { return one.first == status; });
  if (found != phrases.end()) return found->second;
  return status < 200   ? "Progress"
         : status < 300 ? "OK"
         : status < 400 ? "Redirection"
         : status < 500 ? "Request Failure"
                        : "Server Failure";
}

}  // namespace rw::sip
