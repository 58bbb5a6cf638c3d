#include "sip/methods.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace rw::sip {

bool is_allowed(std::string_view method) {
  static constexpr std::array<std::string_view, 9> methods{"INVITE",  "ACK",   "CANCEL", "BYE", "REFER",
                                                           "OPTIONS", "PRACK", "UPDATE", "INFO"};
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool is_known(std::string_view method) {
  static constexpr std::array<std::string_view, 5> others{"REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE"};
  return is_allowed(method) || std::find(others.begin(), others.end(), method) != others.end();
}

bool is_sdp(std::string_view content_type) {
  static constexpr std::string_view sdp = "application/sdp";
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return same_letters(type, sdp);
}

}  // namespace rw::sip
