#include "sip/message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/ascii.h"
#include "sip/status.h"

namespace rw::sip {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed_line(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// RFC 3261 7.3.3 and the extensions' own compact forms.
std::string_view long_name(std::string_view name) {
  static constexpr std::array<std::pair<char, std::string_view>, 17> compact{{{'a', "Accept-Contact"},
                                                                              {'b', "Referred-By"},
                                                                              {'c', "Content-Type"},
                                                                              {'e', "Content-Encoding"},
                                                                              {'f', "From"},
                                                                              {'i', "Call-ID"},
                                                                              {'j', "Reject-Contact"},
                                                                              {'k', "Supported"},
                                                                              {'l', "Content-Length"},
                                                                              {'m', "Contact"},
                                                                              {'o', "Event"},
                                                                              {'r', "Refer-To"},
                                                                              {'s', "Subject"},
                                                                              {'t', "To"},
                                                                              {'u', "Allow-Events"},
                                                                              {'v', "Via"},
                                                                              {'x', "Session-Expires"}}};
  if (name.size() != 1) return name;
  for (const auto& [letter, full] : compact) {
    if (letter == lower(name[0])) return full;
  }
  return name;
}

bool is_token(std::string_view text) {
  static constexpr std::string_view marks = "-.!%*_+`'~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || marks.find(c) != std::string_view::npos;
  });
}

/// Whether a NUL stands anywhere but behind a backslash in a quoted string, where it is legal (RFC 3261 25.1).
bool has_stray_nul(std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return false;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == '\0') {
      return true;
    }
  }
  return false;
}

bool has_line_break(std::string_view name) {
  return name.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

/// Text that can't be the value of a header, whoever wrote it.
bool breaks_out(std::string_view value) {
  return value.find('\r') != std::string_view::npos || value.find('\n') != std::string_view::npos ||
         has_stray_nul(value);
}

/// The next line, without its end; whether there was one.
bool take_line(std::string_view& rest, std::string_view& line) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return false;
  line = rest.substr(0, end);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  rest.remove_prefix(end + 1);
  return true;
}

struct StartLine {
  std::string_view method, request_uri, reason;
  int status = 0;
};

Result<StartLine> read_start_line(std::string_view line) {
  StartLine start;
  if (line.size() > max_header_bytes) return fail("start line too long");
  if (begins_with_letters(line, "SIP/2.0 ")) {
    const auto rest = line.substr(8);
    const auto read = std::from_chars(rest.data(), rest.data() + std::min<std::size_t>(3, rest.size()), start.status);
    if (read.ec != std::errc{} || start.status < 100 || start.status > 699 || (rest.size() > 3 && rest[3] != ' '))
      return fail("bad status line");
    if (rest.size() > 4) start.reason = rest.substr(4);
    return start;
  }
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return fail("bad request line");
  start.method = line.substr(0, first);
  start.request_uri = line.substr(first + 1, last - first - 1);
  if (!is_token(start.method) || start.method.size() > 64) return fail("bad method");
  if (!begins_with_letters(line.substr(last + 1), "SIP/")) return fail("bad request line");
  if (!same_letters(line.substr(last + 1), "SIP/2.0")) return fail("bad SIP version");
  if (start.request_uri.empty() || start.request_uri.find(' ') != std::string_view::npos)
    return fail("bad Request-URI");
  return start;
}

/// Names that may stand in a message once at most.
bool is_single(std::string_view name) {
  static constexpr std::array<std::string_view, 7> names{"Call-ID",      "CSeq",           "From",        "To",
                                                         "Max-Forwards", "Content-Length", "Content-Type"};
  return std::any_of(names.begin(), names.end(), [name](std::string_view one) { return same_name(one, name); });
}

/// As it is written: "Name: value".
bool is_too_long(const std::pair<std::string, std::string>& header) {
  return header.first.size() + 2 + header.second.size() > max_header_bytes;
}

}  // namespace

Message Message::request(std::string method, std::string request_uri) {
  Message message;
  message.method_ = std::move(method);
  message.request_uri_ = std::move(request_uri);
  return message;
}

Message Message::response(int status, std::string reason_phrase) {
  Message message;
  message.status_ = status;
  message.reason_phrase_ =
      reason_phrase.empty() ? std::string(rw::sip::reason_phrase(status)) : std::move(reason_phrase);
  return message;
}

Result<Message> Message::parse(std::string_view text) {
  std::string_view body;
  auto message = parse_head(text, body);
  if (message) message->keep_body(body);
  return message;
}

Result<Message> Message::parse_head(std::string_view text, std::string_view& body) {
  if (text.size() > max_message_bytes) return fail("message too long");
  std::string_view line;
  do {  // empty lines before the start line are tolerated (RFC 3261 7.5)
    if (!take_line(text, line)) return fail("no start line");
  } while (line.empty());
  const auto start = read_start_line(line);
  if (!start) return tl::unexpected(start.error());
  Message message;
  message.method_ = start->method;
  message.request_uri_ = start->request_uri;
  message.reason_phrase_ = start->reason;
  message.status_ = start->status;
  message.headers_.reserve(16);
  bool complete = false;
  while (take_line(text, line)) {
    if (line.empty()) {
      complete = true;
      break;
    }
    if (line.size() > max_header_bytes) return fail("header too long");
    if (line.front() == ' ' || line.front() == '\t') {  // a folded line continues the one before
      if (message.headers_.empty()) return fail("continuation without a header");
      auto& value = message.headers_.back().second;
      if (!value.empty()) value += ' ';
      value += trimmed_line(line);
      if (is_too_long(message.headers_.back())) return fail("header too long");
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return fail("header line without a colon");
    const auto name = long_name(trimmed_line(line.substr(0, colon)));
    if (!is_token(name)) return fail("bad header name");
    if (message.headers_.size() == max_headers) return fail("too many headers");
    const auto value = trimmed_line(line.substr(colon + 1));
    if (is_single(name) && message.header(name) != nullptr) return fail("more than one " + std::string(name));
    message.headers_.emplace_back(name, value);
    if (is_too_long(message.headers_.back())) return fail("header too long");
  }
  if (!complete) return fail("headers without an end");
  for (const auto& [name, value] : message.headers_) {
    if (breaks_out(value)) return fail("bad character in " + name);
  }
  if (message.headers_.size() == max_headers && message.header("Content-Length") == nullptr)
    return fail("too many headers");  // it has room for its length, when it is written
  if (const auto* length = message.header("Content-Length")) {
    std::size_t bytes = 0;
    const auto read = std::from_chars(length->data(), length->data() + length->size(), bytes);
    if (read.ec != std::errc{} || read.ptr != length->data() + length->size()) return fail("bad Content-Length");
    if (bytes > text.size()) return fail("body shorter than its Content-Length");
    text = text.substr(0, bytes);
  }
  body = text;
  return message;
}

void Message::set_body(std::string body, std::string_view content_type) {
  body_ = std::move(body);
  if (!body_.empty()) set("Content-Type", std::string(content_type));
}

const std::string* Message::header(std::string_view name) const {
  const auto found =
      std::find_if(headers_.begin(), headers_.end(), [name](const auto& one) { return same_name(one.first, name); });
  return found == headers_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> Message::headers(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [one, value] : headers_) {
    if (same_name(one, name)) values.emplace_back(value);
  }
  return values;
}

void Message::add(std::string name, std::string value) {
  headers_.emplace_back(std::move(name), std::move(value));
}

void Message::add_first(std::string name, std::string value) {
  headers_.emplace(headers_.begin(), std::move(name), std::move(value));
}

void Message::set(std::string_view name, std::string value) {
  const auto found =
      std::find_if(headers_.begin(), headers_.end(), [name](const auto& one) { return same_name(one.first, name); });
  if (found == headers_.end()) {
    headers_.emplace_back(name, std::move(value));
    return;
  }
  found->second = std::move(value);
  headers_.erase(
      std::remove_if(found + 1, headers_.end(), [name](const auto& one) { return same_name(one.first, name); }),
      headers_.end());
}

void Message::remove(std::string_view name) {
  std::erase_if(headers_, [name](const auto& one) { return same_name(one.first, name); });
}

std::string Message::serialise() const {
  std::size_t size = 64 + method_.size() + request_uri_.size() + reason_phrase_.size() + body_.size();
  for (const auto& [name, value] : headers_) size += name.size() + value.size() + 4;
  std::string text;
  text.reserve(size);
  if (is_request()) {
    text.append(method_).append(" ").append(request_uri_).append(" SIP/2.0\r\n");
  } else {
    text.append("SIP/2.0 ").append(std::to_string(status_)).append(" ").append(reason_phrase_).append("\r\n");
  }
  for (const auto& [name, value] : headers_) {
    // Whoever set it: nothing may smuggle a line of its own into the message.
    if (has_line_break(name) || breaks_out(value) || same_name(name, "Content-Length")) continue;
    text.append(name).append(": ").append(value).append("\r\n");
  }
  text.append("Content-Length: ").append(std::to_string(body_.size())).append("\r\n\r\n").append(body_);
  return text;
}

}  // namespace rw::sip
