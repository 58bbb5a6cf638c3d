#include "http/forwarded.h"

#include "base/ascii.h"
#include "base/trim.h"
#include "net/networks.h"

namespace rw::http {
namespace {

/// "10.0.0.1", "::1", with or without a port: proxies write all of them.
Result<net::Address> parse_client(std::string_view text) {
  if (auto plain = net::Address::from(text, 0)) return plain;
  if (text.starts_with('[') && text.ends_with(']')) return net::Address::from(text.substr(1, text.size() - 2), 0);
  return net::Address::parse(text);
}

}  // namespace

net::Address client_of(const IncomingRequest& request, const net::Address& peer,
                       const std::vector<net::Network>& trusted_proxies) {
  auto client = peer;
  // Each proxy appends: the last header of that name, read from its end.
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (!same_letters(header->first, "X-Forwarded-For")) continue;
    std::string_view left = header->second;
    while (net::is_in(trusted_proxies, client) && !left.empty()) {
      const auto comma = left.rfind(',');
      const auto named = parse_client(trimmed(comma == std::string_view::npos ? left : left.substr(comma + 1)));
      if (!named) return client;
      client = *named;
      left = comma == std::string_view::npos ? std::string_view{} : left.substr(0, comma);
    }
  }
  return client;
}

}  // namespace rw::http
