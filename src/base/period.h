#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace rw {

/// What DAY, WEEK, MONTH, QUARTER and HALF-YEAR stand for in the API.
inline std::optional<std::chrono::hours> named_period(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, int>, 5> days{
      {{"DAY", 1}, {"WEEK", 7}, {"MONTH", 30}, {"QUARTER", 91}, {"HALF-YEAR", 182}}};
  const auto* const found = std::ranges::find(days, name, &std::pair<std::string_view, int>::first);
  if (found == days.end()) return std::nullopt;
  return std::chrono::hours(24 * found->second);
}

}  // namespace rw
