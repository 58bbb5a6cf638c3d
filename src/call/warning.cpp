#include "call/warning.h"

namespace rw::call {

sip::Headers warning_of(const sdp::Problem& problem, const net::Address& us) {
  const auto host = us.is_v6() ? "[" + us.host() + "]" : us.host();
  std::string text;
  for (const char c : problem.message.substr(0, 200)) {  // much of it is what the other side has sent
    if (c == '"' || c == '\\') text += '\\';
    text += c >= ' ' && c <= '~' ? c : '?';
  }
  return {{"Warning", std::to_string(static_cast<int>(problem.what)) + " " + host + " \"" + text + "\""}};
}

}  // namespace rw::call
