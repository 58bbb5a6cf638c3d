#include "http/byte_range.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/trim.h"

namespace rw::http {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

RangeRequest read_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (!begins_with_letters(header, unit)) return {};
  const auto item = trimmed(header.substr(unit.size()));
  const auto dash = item.find('-');
  if (dash == std::string_view::npos || item.find(',') != std::string_view::npos) return {};
  const auto last = whole_number(item.substr(dash + 1));
  if (dash == 0) {  // the last so many bytes
    if (!last) return {};
    if (*last == 0 || size == 0) return {.satisfiable = false, .range = {}};
    const auto length = std::min(*last, size);
    return {.satisfiable = true, .range = ByteRange{size - length, length}};
  }
  const auto first = whole_number(item.substr(0, dash));
  if (!first || (!last && dash + 1 != item.size()) || (last && *last < *first)) return {};
  if (*first >= size) return {.satisfiable = false, .range = {}};
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return {.satisfiable = true, .range = ByteRange{*first, end - *first + 1}};
}

}  // namespace rw::http
