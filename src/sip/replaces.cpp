#include "sip/replaces.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/trim.h"

namespace rw::sip {
namespace {

std::optional<std::string> unescaped(std::string_view text) {
  const auto hex = [](char c) {
    const auto low = static_cast<char>(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
  };
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      result += text[at];
      continue;
    }
    if (at + 2 >= text.size() || hex(text[at + 1]) < 0 || hex(text[at + 2]) < 0) return std::nullopt;
    result += static_cast<char>(hex(text[at + 1]) * 16 + hex(text[at + 2]));
    at += 2;
  }
  return result;
}

}  // namespace

Result<Replaces> Replaces::parse(std::string_view value) {
  Replaces replaces;
  auto rest = value;
  const auto next = [&rest] {
    const auto end = std::min(rest.find(';'), rest.size());
    const auto item = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    return item;
  };
  replaces.call_id = next();
  if (replaces.call_id.empty() || replaces.call_id.find_first_of(" \t,") != std::string::npos)
    return fail("no single Call-ID");
  while (!rest.empty()) {
    const auto item = next();
    const auto equals = std::min(item.find('='), item.size());
    const auto name = trimmed(item.substr(0, equals));
    const auto text = equals == item.size() ? std::string_view{} : trimmed(item.substr(equals + 1));
    if (same_letters(name, "early-only")) {
      replaces.early_only = true;
      continue;
    }
    auto* tag = same_letters(name, "to-tag")     ? &replaces.to_tag
                : same_letters(name, "from-tag") ? &replaces.from_tag
                                                 : nullptr;
    if (tag == nullptr) continue;
    if (!tag->empty() || text.empty() || text.find_first_of(" \t,") != std::string_view::npos)
      return fail("a tag that is empty or given twice");
    *tag = text;
  }
  if (replaces.to_tag.empty() || replaces.from_tag.empty()) return fail("no to-tag or from-tag");
  return replaces;
}

Result<Replaces> Replaces::in_headers_of(const Uri& uri) {
  for (std::string_view rest = uri.headers; !rest.empty();) {
    const auto item = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const auto equals = item.find('=');
    if (equals == std::string_view::npos || !same_letters(item.substr(0, equals), "Replaces")) continue;
    const auto value = unescaped(item.substr(equals + 1));
    if (!value) return fail("a broken escape");
    return parse(*value);
  }
  return fail("no Replaces");
}

}  // namespace rw::sip
