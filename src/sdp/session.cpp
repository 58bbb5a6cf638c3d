#include "sdp/session.h"

#include <algorithm>
#include <charconv>

namespace rw::sdp {
namespace {

/// Cuts the text up to `separator` off the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The same without regard to how many blanks there are.
std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return take(rest, ' ');
}

/// "IN IP4 10.0.0.1" (RFC 8866 5.7); a multicast suffix is cut off. Empty: it is not an Internet address.
std::string_view read_connection(std::string_view value) {
  const auto network = take_word(value);
  const auto family = take_word(value);
  const auto host = take_word(value);
  if (network != "IN" || (family != "IP4" && family != "IP6")) return {};
  return host.substr(0, host.find('/'));
}

Result<Media> read_media(std::string_view value) {
  Media media;
  media.type = take_word(value);
  const auto port = take_word(value);
  const auto digits = port.substr(0, port.find('/'));
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), media.port);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || digits.empty())
    media.problem = "m= line without a port";
  media.protocol = take_word(value);
  while (!value.empty()) {
    if (const auto format = take_word(value); !format.empty()) media.formats.emplace_back(format);
  }
  if (media.type.empty() || media.protocol.empty()) return fail("m= line without a protocol");
  return media;
}

void read_origin(Session& session, std::string_view value) {
  session.user = take(value, ' ');
  session.id = number(take(value, ' '));
  session.version = number(take(value, ' '));
  take(value, ' ');
  take(value, ' ');
  session.origin_host = value;
}

/// One line `type`=`value` of a description whose parts before it have been read.
Result<void> read_line(Session& session, char type, std::string_view value) {
  Media* media = session.media.empty() ? nullptr : &session.media.back();
  if (type == 'o') read_origin(session, value);
  if (type == 'c') {
    const auto host = read_connection(value);
    (media != nullptr ? media->host : session.host) = host;
    if (media != nullptr && host.empty()) media->problem = "c= line is not an Internet address";
  }
  if (type == 'a') {
    auto& attributes = media != nullptr ? media->attributes : session.attributes;
    const auto name = take(value, ':');
    attributes.push_back({std::string(name), std::string(value)});
  }
  if (type == 'm') {
    auto fresh = read_media(value);
    if (!fresh) return tl::unexpected(fresh.error());
    session.media.push_back(std::move(*fresh));
  }
  return {};
}

const std::string* find(const std::vector<Attribute>& attributes, std::string_view name) {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [name](const Attribute& one) { return one.name == name; });
  return found == attributes.end() ? nullptr : &found->value;
}

void print(std::string& text, const std::vector<Attribute>& attributes) {
  for (const auto& [name, value] : attributes) text += "a=" + name + (value.empty() ? "" : ":" + value) + "\r\n";
}

std::string connection(const std::string& host) {
  return std::string("IN ") + (host.find(':') == std::string::npos ? "IP4 " : "IP6 ") + host;
}

}  // namespace

const std::string* Media::attribute(std::string_view name) const {
  return find(attributes, name);
}
const std::string* Session::attribute(std::string_view name) const {
  return find(attributes, name);
}

Outcome<Session> Session::parse(std::string_view text) {
  if (text.size() > max_bytes) return unserved(Unserved::parameter, "session description of more than 64 KB");
  text = text.substr(0, text.find_last_not_of('\0') + 1);
  Session session;
  bool has_version = false;
  while (!text.empty()) {
    auto line = take(text, '\n');
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (line.size() < 2 || line[1] != '=')
      return unserved(Unserved::parameter, "a line that is not of the form x=value");
    has_version = has_version || (line[0] == 'v' && line == "v=0");
    if (auto read = read_line(session, line[0], line.substr(2)); !read)
      return unserved(Unserved::parameter, read.error().message);
  }
  if (!has_version) return unserved(Unserved::parameter, "no v=0 line");
  return session;
}

std::string Session::to_string() const {
  std::string text = "v=0\r\no=" + user + " " + std::to_string(id) + " " + std::to_string(version) + " " +
                     connection(origin_host) + "\r\ns=-\r\n";
  if (!host.empty()) text += "c=" + connection(host) + "\r\n";
  text += "t=0 0\r\n";
  print(text, attributes);
  for (const auto& one : media) {
    text += "m=" + one.type + " " + std::to_string(one.port) + " " + one.protocol;
    for (const auto& format : one.formats) text += " " + format;
    text += "\r\n";
    if (!one.host.empty()) text += "c=" + connection(one.host) + "\r\n";
    print(text, one.attributes);
  }
  return text;
}

}  // namespace rw::sdp
