#include "sip/stream_framer.h"

#include <charconv>

#include "sip/message.h"

namespace rw::sip {
namespace {

bool is_content_length(std::string_view name) {
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  static constexpr std::string_view full = "content-length";
  if (name.size() == 1) return (name[0] | 0x20) == 'l';
  if (name.size() != full.size()) return false;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if ((name[at] | 0x20) != full[at] && name[at] != '-') return false;
  }
  return true;
}

}  // namespace

Result<std::size_t> first_message(std::string_view buffered) {
  const auto start = buffered.find_first_not_of("\r\n");
  if (start == std::string_view::npos) return buffered.size() >= 4 ? 4 : 0;
  if (start > 0) return start;
  const auto end = buffered.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (buffered.size() > max_message_bytes) return fail("headers of more than 64 KB");
    return 0;
  }
  std::size_t body = 0;
  bool found = false;
  for (auto rest = buffered.substr(0, end); !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : rest.size());
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_content_length(line.substr(0, colon))) continue;
    auto value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    const auto read = std::from_chars(value.data(), value.data() + value.size(), body);
    if (read.ec != std::errc{}) return fail("bad Content-Length");
    found = true;
  }
  if (!found) return fail("no Content-Length");
  const auto total = end + 4 + body;
  if (body > max_message_bytes || total > max_message_bytes) return fail("message of more than 64 KB");
  return total <= buffered.size() ? total : 0;
}

}  // namespace rw::sip
