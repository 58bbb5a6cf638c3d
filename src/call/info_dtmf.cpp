#include "call/info_dtmf.h"

#include <algorithm>

#include "base/ascii.h"

namespace rw::call {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// A signal by its character or by its RFC 4733 event number ("10" is *, "11" is #).
std::optional<char> digit_named(std::string_view signal) {
  static constexpr std::string_view digits = "0123456789*#ABCD";
  if (signal.size() == 1) {
    const char digit = to_upper(signal[0]);
    if (digits.find(digit) != std::string_view::npos) return digit;
  } else if (signal.size() == 2 && signal[0] == '1' && signal[1] >= '0' && signal[1] <= '5') {
    return digits[10 + static_cast<std::size_t>(signal[1] - '0')];
  }
  return std::nullopt;
}

}  // namespace

std::optional<char> dtmf_of_info(std::string_view content_type, std::string_view body) {
  const auto type = trimmed(content_type.substr(0, content_type.find(';')));
  if (same_letters(type, "application/dtmf")) return digit_named(trimmed(body));
  if (!same_letters(type, "application/dtmf-relay")) return std::nullopt;
  while (!body.empty()) {
    const auto line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(body.size(), line.size() + 1));
    const auto equals = line.find('=');
    if (equals != std::string_view::npos && same_letters(trimmed(line.substr(0, equals)), "signal"))
      return digit_named(trimmed(line.substr(equals + 1)));
  }
  return std::nullopt;
}

}  // namespace rw::call
