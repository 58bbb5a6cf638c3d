#include "sip/uri.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/ascii.h"
#include "base/trim.h"

namespace rw::sip {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// %XX decoded, where it gives a printable character.
std::string unescaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() && hex(text[at + 1]) >= 0 && hex(text[at + 2]) >= 0) {
      const int code = hex(text[at + 1]) * 16 + hex(text[at + 2]);
      if (code >= 0x20 && code != 0x7f) {
        result += static_cast<char>(code);
        at += 2;
        continue;
      }
    }
    result += text[at];
  }
  return result;
}

/// Characters that RFC 3261 25.1 allows in a user part as they are.
std::string escaped_user(std::string_view user) {
  static constexpr std::string_view allowed = "-_.!~*'()&=+$,;?/";
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : user) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte) != 0) || allowed.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

/// RFC 3986 3.1.
bool is_scheme(std::string_view text) {
  const auto letter = [](unsigned char c) { return c < 0x80 && std::isalpha(c) != 0; };
  return !text.empty() && letter(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.end(), [&](unsigned char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
         });
}

/// ";name=value;flag" into pairs; a value may be quoted.
Result<Parameters> read_parameters(std::string_view text) {
  constexpr std::size_t most = 64;
  Parameters parameters;
  while (!text.empty()) {
    if (text.front() != ';') return fail("unexpected text after the address");
    text.remove_prefix(1);
    std::size_t end = 0;
    bool quoted = false;
    for (; end < text.size() && (quoted || text[end] != ';'); ++end) {
      if (quoted && text[end] == '\\') {
        ++end;
      } else if (text[end] == '"') {
        quoted = !quoted;
      }
    }
    end = std::min(end, text.size());
    const auto item = text.substr(0, end);
    text.remove_prefix(end);
    const auto equals = item.find('=');
    const auto name = trimmed(item.substr(0, equals));
    auto value = equals == std::string_view::npos ? std::string_view{} : trimmed(item.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (name.empty()) continue;
    if (parameters.size() == most) return fail("more than 64 parameters");
    parameters.emplace_back(lower_case(name), std::string(value));
  }
  return parameters;
}

const std::string* find(const Parameters& parameters, std::string_view name) {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [name](const auto& one) { return one.first == name; });
  return found == parameters.end() ? nullptr : &found->second;
}

std::string print(const Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += ";" + name;
    if (!value.empty()) text += "=" + value;
  }
  return text;
}

/// "host", "host:port", "[::1]:port"
Result<void> read_host(Uri& uri, std::string_view text) {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return fail("an IPv6 address without its closing bracket");
    uri.host = lower_case(text.substr(1, end - 1));
    // The grammar of RFC 3261 lets three colons precede an IPv4 address; two are meant (RFC 5118 4.10).
    if (const auto colons = uri.host.find(":::"); colons != std::string::npos) uri.host.erase(colons, 1);
    const auto valid = [](unsigned char c) { return std::isxdigit(c) != 0 || c == ':' || c == '.'; };
    if (uri.host.find(':') == std::string::npos || !std::all_of(uri.host.begin(), uri.host.end(), valid))
      return fail("an IPv6 address with characters that none has");
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') return fail("unexpected text after the host");
    port = text.empty() ? text : text.substr(1);
  } else {
    const auto colon = text.find(':');
    uri.host = lower_case(text.substr(0, colon));
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
    const auto valid = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_'; };
    if (!std::all_of(uri.host.begin(), uri.host.end(), valid)) return fail("a host with characters that no host has");
  }
  if (uri.host.empty()) return fail("no host");
  if (!port.empty()) {
    const auto read = std::from_chars(port.data(), port.data() + port.size(), uri.port);
    if (read.ec != std::errc{} || read.ptr != port.data() + port.size()) return fail("a port that is not a number");
  }
  return {};
}

}  // namespace

Result<Uri> Uri::parse(std::string_view text) {
  auto uri = parse_any(text);
  if (uri && !uri->opaque.empty()) return fail(std::string(other_scheme) + " " + uri->scheme);
  return uri;
}

Result<Uri> Uri::parse_any(std::string_view text) {
  if (has_control(text) || text.find_first_of(" <>\"") != std::string_view::npos)
    return fail("a URI with characters that no URI has");
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))) return fail("a URI without a scheme");
  Uri uri;
  uri.scheme = lower_case(text.substr(0, colon));
  text.remove_prefix(colon + 1);
  if (uri.scheme == "tel") {
    const auto end = text.find(';');
    uri.user = text.substr(0, end);
    if (uri.user.empty()) return fail("a tel: URI without a number");
    auto parameters = read_parameters(end == std::string_view::npos ? std::string_view{} : text.substr(end));
    if (!parameters) return tl::unexpected(parameters.error());
    uri.parameters = std::move(*parameters);
    return uri;
  }
  if (uri.scheme != "sip" && uri.scheme != "sips") {
    uri.opaque = text;
    if (text.empty()) return fail("a URI with nothing behind its scheme");
    return uri;
  }
  if (const auto question = text.find('?', text.find('@') == std::string_view::npos ? 0 : text.find('@'));
      question != std::string_view::npos) {
    uri.headers = text.substr(question + 1);
    text = text.substr(0, question);
  }
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    auto user = text.substr(0, at);
    text.remove_prefix(at + 1);
    user = user.substr(0, user.find(':'));  // a password is of no use and not kept
    const auto semicolon = user.find(';');
    uri.user = unescaped(user.substr(0, semicolon));
    if (semicolon != std::string_view::npos) uri.user_parameters = user.substr(semicolon);
  }
  if (text.find('@') != std::string_view::npos) return fail("a URI with a second @");
  const auto semicolon = text.find(';');
  if (auto host = read_host(uri, text.substr(0, semicolon)); !host) return tl::unexpected(host.error());
  if (semicolon != std::string_view::npos) {
    auto parameters = read_parameters(text.substr(semicolon));
    if (!parameters) return tl::unexpected(parameters.error());
    uri.parameters = std::move(*parameters);
  }
  return uri;
}

std::string Uri::to_string() const {
  if (!opaque.empty()) return scheme + ":" + opaque;
  if (scheme == "tel") return "tel:" + user + print(parameters);
  std::string text = scheme + ":";
  // Without a user an @ among the headers would be taken for the end of one.
  if (!user.empty() || headers.find('@') != std::string::npos) text += escaped_user(user) + user_parameters + "@";
  text += host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != 0) text += ":" + std::to_string(port);
  text += print(parameters);
  if (!headers.empty()) text += "?" + headers;
  return text;
}

const std::string* Uri::parameter(std::string_view name) const {
  return find(parameters, name);
}

Result<NameAddress> NameAddress::parse(std::string_view text) {
  auto address = parse_any(text);
  if (address && !address->uri.opaque.empty()) return fail(std::string(Uri::other_scheme) + " " + address->uri.scheme);
  return address;
}

Result<NameAddress> NameAddress::parse_any(std::string_view text) {
  text = trimmed(text);
  NameAddress address;
  std::size_t at = 0;
  if (!text.empty() && text.front() == '"') {
    for (at = 1; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      address.display_name += text[at];
    }
    if (at >= text.size()) return fail("a display name without its closing quote");
    ++at;
  }
  const auto open = text.find('<', at);
  std::string_view uri;
  std::string_view rest;
  if (open != std::string_view::npos) {
    if (at == 0) address.display_name = trimmed(text.substr(0, open));
    const auto close = text.find('>', open);
    if (close == std::string_view::npos) return fail("an address without its closing bracket");
    uri = text.substr(open + 1, close - open - 1);
    rest = trimmed(text.substr(close + 1));
  } else {
    // Without brackets, parameters belong to the header (RFC 3261 20).
    if (at != 0) return fail("a display name without an address in brackets");
    const auto semicolon = text.find(';');
    uri = trimmed(text.substr(0, semicolon));
    if (semicolon != std::string_view::npos) rest = text.substr(semicolon);
  }
  auto parsed = Uri::parse_any(uri);
  if (!parsed) return tl::unexpected(parsed.error());
  address.uri = std::move(*parsed);
  auto parameters = read_parameters(rest);
  if (!parameters) return tl::unexpected(parameters.error());
  address.parameters = std::move(*parameters);
  return address;
}

std::string NameAddress::to_string() const {
  std::string text;
  if (!display_name.empty()) {
    text += '"';
    for (const char c : display_name) {
      if (c == '"' || c == '\\' || has_control({&c, 1})) text += '\\';
      text += c;
    }
    text += "\" ";
  }
  return text + "<" + uri.to_string() + ">" + print(parameters);
}

const std::string* NameAddress::parameter(std::string_view name) const {
  return find(parameters, name);
}

std::vector<std::string_view> split_list(std::string_view value) {
  std::vector<std::string_view> items;
  std::size_t start = 0;
  bool quoted = false;
  int depth = 0;
  for (std::size_t at = 0; at <= value.size(); ++at) {
    const bool end = at == value.size();
    if (!end) {
      const char c = value[at];
      if (quoted && c == '\\') {
        ++at;
        continue;
      }
      if (c == '"') quoted = !quoted;
      if (!quoted && c == '<') ++depth;
      if (!quoted && c == '>') --depth;
    }
    if (end || (value[at] == ',' && !quoted && depth <= 0)) {
      const auto item = trimmed(value.substr(start, at - start));
      if (!item.empty()) items.push_back(item);
      start = at + 1;
    }
  }
  if (start < value.size()) {
    if (const auto item = trimmed(value.substr(start)); !item.empty()) items.push_back(item);
  }
  return items;
}

}  // namespace rw::sip
