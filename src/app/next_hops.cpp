#include "app/next_hops.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "sip/uri.h"

namespace rw::app {
namespace {

using Target = net::Resolver::Target;

net::Resolver::Transport resolver_transport(sip::Transport transport) {
  switch (transport) {
    case sip::Transport::tcp:
      return net::Resolver::Transport::tcp;
    case sip::Transport::tls:
      return net::Resolver::Transport::tls;
    case sip::Transport::udp:
      break;
  }
  return net::Resolver::Transport::udp;
}

/// What the URI says about the next hop; no host if it names a transport that we don't know, or is no SIP URI.
Target target_of(const std::string& text) {
  Target target;
  const auto uri = sip::Uri::parse(text);
  if (!uri || (uri->scheme != "sip" && uri->scheme != "sips")) return target;
  target.secure = uri->scheme == "sips";
  target.port = uri->port;
  if (const auto* transport = uri->parameter("transport")) {
    static const std::vector<std::pair<std::string_view, net::Resolver::Transport>> known{
        {"udp", net::Resolver::Transport::udp},
        {"tcp", net::Resolver::Transport::tcp},
        {"tls", net::Resolver::Transport::tls}};
    const auto name = lower_case(*transport);
    const auto found = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == name; });
    if (found == known.end()) return target;
    target.transport = found->second;
  }
  target.host = uri->host;
  return target;
}

net::Resolver::Options resolver_options(std::vector<net::Address> servers, const std::vector<sip::Flow>& listeners) {
  net::Resolver::Options options;
  options.servers = std::move(servers);
  for (const auto& listener : listeners)
    options.ways.push_back({resolver_transport(listener.transport), listener.local.is_v6()});
  return options;
}

}  // namespace

NextHops::NextHops(boost::asio::io_context& loop, std::vector<net::Address> dns_servers,
                   std::vector<sip::Flow> listeners)
    : listeners_(std::move(listeners)), resolver_(loop, resolver_options(std::move(dns_servers), listeners_)) {}

void NextHops::find(const std::string& uri, Handler handler) {
  resolver_.resolve(target_of(uri), [this, handler = std::move(handler)](const std::vector<net::Resolver::Hop>& hops) {
    std::vector<sip::Flow> flows;
    for (const auto& hop : hops) {
      const auto from = std::find_if(listeners_.begin(), listeners_.end(), [&](const sip::Flow& listener) {
        return resolver_transport(listener.transport) == hop.transport && listener.local.is_v6() == hop.address.is_v6();
      });
      if (from != listeners_.end()) flows.push_back({from->transport, from->local, hop.address, 0, {}});
    }
    handler(std::move(flows));
  });
}

}  // namespace rw::app
