#include "http/target.h"

#include "base/utf8.h"

namespace rw::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> form_decode(std::string_view text) {
  std::string spaced(text);
  for (char& c : spaced) {
    if (c == '+') c = ' ';
  }
  return percent_decode(spaced);
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high << 4 | low);
    at += 2;
  }
  if (!is_utf8(decoded)) return std::nullopt;
  return decoded;
}

std::optional<Target> parse_target(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const auto slash = text.find('/', scheme.size());
    text = slash == std::string_view::npos ? "/" : text.substr(slash);
  }
  Target target;
  const auto mark = text.find('?');
  target.path = text.substr(0, mark);
  if (target.path != "*" && !target.path.starts_with('/')) return std::nullopt;
  if (mark == std::string_view::npos) return target;
  for (text.remove_prefix(mark + 1); !text.empty();) {
    const auto end = text.find('&');
    const auto item = text.substr(0, end);
    const auto equals = item.find('=');
    auto name = form_decode(item.substr(0, equals));
    auto value = form_decode(equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1));
    if (!name || !value) return std::nullopt;
    if (!item.empty()) target.query.emplace_back(std::move(*name), std::move(*value));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return target;
}

}  // namespace rw::http
