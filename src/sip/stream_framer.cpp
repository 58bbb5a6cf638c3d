#include "sip/stream_framer.h"

#include <charconv>

#include "base/ascii.h"
#include "sip/header_lines.h"
#include "sip/message.h"

namespace rw::sip {
namespace {

bool is_content_length(std::string_view name) {
  return same_letters(name, "Content-Length") || same_letters(name, "l");
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
    const auto header = take_header(rest);
    if (!is_content_length(name_in(header))) continue;
    const auto value = value_in(header);
    std::size_t length = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), length);
    if (read.ec != std::errc{}) return fail("bad Content-Length");
    if (found && length != body) return fail("Content-Lengths that differ");  // the end is not known (RFC 4475 3.3.9)
    body = length;
    found = true;
  }
  if (!found) return fail("no Content-Length");
  const auto total = end + 4 + body;
  if (body > max_message_bytes || total > max_message_bytes) return fail("message of more than 64 KB");
  return total <= buffered.size() ? total : 0;
}

bool opens_call(std::string_view message) {
  if (message.starts_with("INVITE ")) return true;
  if (!message.starts_with("SIP/2.0 2")) return false;
  for (auto rest = message; !rest.empty();) {
    const auto header = take_header(rest);
    if (same_letters(name_in(header), "CSeq")) return value_in(header).ends_with("INVITE");
  }
  return false;
}

}  // namespace rw::sip
