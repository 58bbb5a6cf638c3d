#include "app/read_trunk.h"

#include <algorithm>

#include "base/ascii.h"
#include "sip/uri.h"

namespace rw::app {
namespace {

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

/// What only makes sense for a trunk that calls go out over.
void read_outbound(TomlReader& table, tenant::Trunk& trunk) {
  if (table.has("hosts")) {
    table.texts("hosts", trunk.hosts);
    for (auto& host : trunk.hosts) {
      host = lower_case(host);
      if (const auto network = net::Network::parse(host)) trunk.host_networks.push_back(*network);
    }
  } else {
    trunk.hosts = {"*"};
  }
  table.text("username", trunk.username);
  table.secret("password", trunk.password);
  table.text("realm", trunk.realm);
  table.flag("trusted", trunk.trusted);
  if (table.has("tel")) table.flag("tel", trunk.tel.emplace(false));
  if (trunk.username.empty() != trunk.password.empty()) {
    const bool no_password = trunk.password.empty();
    table.problem(no_password ? "password" : "username",
                  std::string("missing: expected together with `") + (no_password ? "username`" : "password`"));
  }
}

/// `register` and `aor`: whether, and as whom, we register at the trunk's proxy.
void read_registration(TomlReader& table, tenant::Trunk& trunk) {
  bool wanted = false;
  table.flag("register", wanted);
  std::string aor;
  table.text("aor", aor);
  if (!aor.empty()) {
    const auto uri = sip::Uri::parse(aor);
    if (!uri || (uri->scheme != "sip" && uri->scheme != "sips") || uri->user.empty() || uri->host.empty())
      table.wrong("aor", quoted(aor), "the SIP URI to register, e.g. sip:number@carrier.example");
  }
  if (!wanted) return;
  if (aor.empty() && trunk.username.empty()) {
    table.problem("aor", "missing: expected the SIP URI to register, or a `username` to make it from");
  } else if (aor.empty()) {
    const auto proxy = sip::Uri::parse(trunk.proxy);
    if (!proxy) return;  // has been reported
    sip::Uri uri;
    uri.scheme = proxy->scheme;
    uri.user = trunk.username;
    uri.host = proxy->host;
    aor = uri.to_string();
  }
  trunk.registration = aor;
}

}  // namespace

void read_networks(TomlReader& table, std::string_view key, std::vector<net::Network>& into) {
  table.each_text(key, [&](const std::string& text) -> std::string {
    const auto network = net::Network::parse(text);
    if (!network) return "a network, e.g. 10.0.0.0/8";
    into.push_back(*network);
    return {};
  });
}

void read_limits(TomlReader& table, tenant::Limits& limits) {
  if (table.has("max_calls")) table.whole("max_calls", limits.max_calls.emplace(1), 1, 1'000'000);
  limits.calls_per_second = table.number("calls_per_second", 0.01, 1e6);
}

void read_next_hop(TomlReader& table, std::string_view key, std::string& into) {
  table.text(key, into);
  if (into.empty()) return;
  const auto uri = sip::Uri::parse(into);
  if (!uri || (uri->scheme != "sip" && uri->scheme != "sips") || uri->host.empty()) {
    table.wrong(key, quoted(into), "a SIP URI, e.g. sip:proxy.example:5060;transport=tcp;lr");
    return;
  }
  const auto* transport = uri->parameter("transport");
  if (uri->scheme == "sips" || (transport != nullptr && *transport != "udp" && *transport != "tcp"))
    table.wrong(key, quoted(into), "a sip: URI over udp or tcp: other transports are not available yet");
}

tenant::Trunk read_trunk(TomlReader& table) {
  tenant::Trunk trunk;
  table.text("name", trunk.name);
  read_networks(table, "allow", trunk.allow);
  table.secret("key", trunk.key);
  table.text("inbound_username", trunk.inbound_username);
  table.secret("inbound_password", trunk.inbound_password);
  if (trunk.inbound_username.empty() != trunk.inbound_password.empty())
    table.problem(trunk.inbound_password.empty() ? "inbound_password" : "inbound_username",
                  "missing: expected both, `inbound_username` and `inbound_password`");
  read_limits(table, trunk.limits);
  read_next_hop(table, "proxy", trunk.proxy);
  if (table.has("proxy")) {
    read_outbound(table, trunk);
    read_registration(table, trunk);
  } else {
    for (const auto* key : {"hosts", "username", "password", "realm", "trusted", "tel", "register", "aor"}) {
      if (table.has(key))
        table.problem(key, "without effect: expected `proxy` too, the SIP URI that calls are sent to");
    }
  }
  if (!table.has("allow") && !table.has("inbound_username") && !table.has("proxy")) {
    table.problem(
        "allow",
        "missing: expected `allow`, the networks that calls may come from, or `inbound_username`, what callers have to "
        "prove, or `proxy`, the SIP URI that calls are sent to");
  }
  return trunk;
}

}  // namespace rw::app
