#include "sdp/host_name.h"

#include <algorithm>
#include <cctype>

#include "net/address.h"

namespace rw::sdp {
namespace {

/// Of the DNS.
constexpr std::size_t max_name_bytes = 253;

bool is_name(std::string_view host) {
  const auto letter = [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_');
  };
  return !host.empty() && host.size() <= max_name_bytes && std::ranges::all_of(host, letter) &&
         !net::Address::from(host, 0);
}

/// Cuts the next line off the front of `rest`.
std::string_view take_line(std::string_view& rest) {
  const auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

/// The host of "c=IN IP4 host/127"; empty if it is another line.
std::string_view host_of(std::string_view line) {
  if (!line.starts_with("c=IN IP4 ") && !line.starts_with("c=IN IP6 ")) return {};
  line.remove_prefix(9);
  return line.substr(0, line.find_first_of("/ \r"));
}

}  // namespace

std::optional<std::string> host_name(std::string_view description) {
  while (!description.empty()) {
    if (const auto host = host_of(take_line(description)); is_name(host)) return std::string(host);
  }
  return std::nullopt;
}

std::string with_address(std::string_view description, std::string_view name, std::string_view address) {
  std::string text;
  while (!description.empty()) {
    const auto begin = description.data();
    const auto line = take_line(description);
    const auto all = std::string_view(begin, static_cast<std::size_t>(description.data() - begin));
    const auto host = host_of(line);
    if (host.empty() || host != name) {
      text += all;
      continue;
    }
    text += address.find(':') == std::string_view::npos ? "c=IN IP4 " : "c=IN IP6 ";
    text += address;
    text += all.substr(static_cast<std::size_t>(host.data() + host.size() - begin));
  }
  return text;
}

}  // namespace rw::sdp
