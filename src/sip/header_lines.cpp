#include "sip/header_lines.h"

#include <algorithm>

namespace rw::sip {

std::string_view take_header(std::string_view& rest) {
  std::size_t end = 0;
  do {
    const auto line = rest.find('\n', end);
    end = line == std::string_view::npos ? rest.size() : line + 1;
  } while (end < rest.size() && (rest[end] == ' ' || rest[end] == '\t'));
  const auto header = rest.substr(0, end);
  rest.remove_prefix(end);
  return header;
}

std::string_view name_in(std::string_view header) {
  const auto colon = header.find(':');
  if (colon == std::string_view::npos) return {};
  auto name = header.substr(0, colon);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  return name;
}

std::string value_in(std::string_view header) {
  const auto colon = header.find(':');
  auto value = colon == std::string_view::npos ? std::string_view{} : header.substr(colon + 1);
  while (!value.empty() && static_cast<unsigned char>(value.front()) <= ' ') value.remove_prefix(1);
  while (!value.empty() && static_cast<unsigned char>(value.back()) <= ' ') value.remove_suffix(1);
  std::string line(value);
  std::erase(line, '\r');
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace rw::sip
