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

bool is_supported(std::string_view option) {
  static constexpr std::array<std::string_view, 4> options{"100rel", "timer", "replaces", "norefersub"};
  return std::ranges::any_of(options, [option](std::string_view one) { return same_letters(one, option); });
}

}  // namespace rw::sip
