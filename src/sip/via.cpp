#include "sip/via.h"

#include <charconv>

#include "base/ascii.h"
#include "base/trim.h"

namespace rw::sip {
namespace {

bool read_sent_by(Via& via, std::string_view text) {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return false;
    via.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    const auto colon = text.find(':');
    via.host = trimmed(text.substr(0, colon));
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  port = trimmed(port);
  if (port.empty()) return !via.host.empty();
  if (port.front() != ':') return false;
  port = trimmed(port.substr(1));
  const auto read = std::from_chars(port.data(), port.data() + port.size(), via.port);
  return read.ec == std::errc{} && read.ptr == port.data() + port.size() && !via.host.empty();
}

}  // namespace

Result<Via> Via::parse(std::string_view value) {
  value = trimmed(value);
  const auto slash = value.rfind('/', value.find(';'));
  if (slash == std::string_view::npos) return fail("bad Via");
  auto rest = trimmed(value.substr(slash + 1));
  const auto space = rest.find_first_of(" \t");
  if (space == std::string_view::npos) return fail("bad Via");
  Via via;
  via.transport = upper_case(rest.substr(0, space));
  rest = trimmed(rest.substr(space));
  const auto semicolon = rest.find(';');
  if (!read_sent_by(via, trimmed(rest.substr(0, semicolon)))) return fail("bad sent-by in Via");
  if (semicolon == std::string_view::npos) return via;
  via.rest = rest.substr(semicolon);
  for (std::string_view parameters = via.rest; !parameters.empty();) {
    parameters.remove_prefix(1);
    const auto item = parameters.substr(0, parameters.find(';'));
    parameters.remove_prefix(item.size());
    const auto equals = item.find('=');
    const auto name = trimmed(item.substr(0, equals));
    if (same_letters(name, "branch") && equals != std::string_view::npos) via.branch = trimmed(item.substr(equals + 1));
    if (same_letters(name, "rport")) via.rport = true;
  }
  return via;
}

}  // namespace rw::sip
