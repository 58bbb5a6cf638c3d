#include "app/toml_text.h"

#include <algorithm>

namespace rw::app {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t most_closing_quotes = 5;

/// Where the string that begins at `at` is over; the end of `text` if it is not closed.
std::size_t behind_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const auto run = [&](std::size_t from) {
    std::size_t length = 0;
    while (from + length < text.size() && text[from + length] == quote) ++length;
    return length;
  };
  const std::size_t opening = run(at);
  if (opening == 2) return at + 2;
  const bool of_lines = opening >= 3;
  for (at += of_lines ? 3 : 1; at < text.size();) {
    if (text[at] == '\\' && quote == '"') {
      at += 2;
    } else if (text[at] == '\n' && !of_lines) {
      return text.size();
    } else if (text[at] != quote) {
      ++at;
    } else if (!of_lines) {
      return at + 1;
    } else {
      // Up to two quotes may stand before the three that end it.
      const std::size_t closing = std::min(run(at), most_closing_quotes);
      at += closing;
      if (closing >= 3) return at;
    }
  }
  return text.size();
}

}  // namespace

std::optional<std::size_t> line_of_stray_character(std::string_view text) {
  std::size_t at = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  while (at < text.size()) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) return 1 + std::ranges::count(text.substr(0, at), '\n');
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '"' || c == '\'') {
      at = behind_string(text, at);
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

}  // namespace rw::app
