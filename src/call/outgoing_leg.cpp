#include "call/outgoing_leg.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"
#include "call/loop_check.h"
#include "sip/uri.h"

namespace rw::call {
namespace {

using sip::NameAddress;
using sip::Uri;

void remove(sip::Headers& headers, std::string_view name) {
  std::erase_if(headers, [name](const auto& one) { return same_letters(one.first, name); });
}

void change(sip::Headers& headers, const HeaderChanges& changes) {
  for (const auto& [name, values] : changes) {
    remove(headers, name);
    for (const auto& value : values) headers.emplace_back(name, value);
  }
}

/// The URI of an identity that the application gives: a user part of the domain, or a whole URI.
Uri identity(const std::string& text, const std::string& domain) {
  if (text.find_first_of(":@") != std::string::npos) {
    auto whole = Uri::parse(text);
    if (!whole) whole = Uri::parse("sip:" + text);
    if (whole) {
      whole->headers.clear();  // none in an identity (RFC 3261 19.1.1)
      return std::move(*whole);
    }
  }
  Uri uri;
  uri.scheme = "sip";
  uri.user = text;
  uri.host = domain;
  return uri;
}

std::string address(const std::string& identity_text, const std::string& domain, const std::string& display_name = {}) {
  NameAddress address;
  address.display_name = display_name;
  address.uri = identity(identity_text, domain);
  return address.to_string();
}

/// A header parameter's value: a token, or a quoted string (RFC 3261 25.1).
std::string quoted_if_needed(const std::string& value) {
  const bool token = std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 ||
                        std::string_view("-.!%*_+`'~").find(static_cast<char>(c)) != std::string_view::npos);
  });
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.find_first_of("\"\\", 1) == value.size() - 1;
  if (token || quoted) return value;
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

const std::string anonymous = R"("Anonymous" <sip:anonymous@anonymous.invalid>)";

/// From, and what goes with it.
struct Caller {
  std::string user;  ///< or a whole URI
  std::string display_name;
};

Caller caller_of(const LegHeaders& headers, const LegOrigin& origin) {
  Caller caller{origin.from_user, {}};
  if (origin.caller != nullptr) caller = {origin.caller->from_user, origin.caller->display_name};
  if (caller.user.find_first_of(":@") != std::string::npos) {  // a user part all the same
    Uri uri;
    uri.scheme = "sip";
    uri.user = caller.user;
    uri.host = origin.domain.name;
    caller.user = uri.to_string();
  }
  if (headers.sip_from) caller = {*headers.sip_from, {}};
  if (headers.display_name) caller.display_name = *headers.display_name;
  return caller;
}

/// Where the INVITE goes: over the domain's trunk for the target, else over the outbound proxy, else by RFC 3263.
const tenant::Trunk* set_route(sip::OutgoingInvite& invite, const Uri& target, const LegOrigin& origin) {
  const auto* trunk = origin.domain.trunk_for(target.scheme, target.host);
  const auto& proxy = trunk != nullptr ? trunk->proxy : origin.outbound_proxy;
  if (!proxy.empty()) {
    auto route = Uri::parse(proxy);
    if (route && route->parameter("lr") == nullptr) route->parameters.emplace_back("lr", "");
    if (route) invite.routes.push_back("<" + route->to_string() + ">");
  }
  if (trunk != nullptr && !trunk->username.empty())
    invite.credentials.push_back({trunk->realm, trunk->username, trunk->password});
  return trunk;
}

std::string contact_user(const std::string& user, const Parameters& parameters) {
  if (user.empty()) return {};  // its parameters have nothing to stand behind
  Uri uri;
  uri.scheme = "sip";
  uri.user = user;
  uri.host = "h";
  for (const auto& [name, value] : parameters) uri.user_parameters += ";" + name + (value.empty() ? "" : "=" + value);
  const auto text = uri.to_string();
  return text.substr(4, text.size() - 6);  // between "sip:" and "@h"
}

void add_identities(sip::OutgoingInvite& invite, const LegHeaders& headers, const Caller& caller,
                    const LegOrigin& origin, const tenant::Trunk* trunk) {
  const auto& domain = origin.domain.name;
  if (headers.caller_privacy) invite.headers.emplace_back("Privacy", "id");
  const bool may_tell = !headers.caller_privacy || (trunk != nullptr && trunk->trusted);
  if (headers.sip_pai && may_tell)
    invite.headers.emplace_back("P-Asserted-Identity", address(*headers.sip_pai, domain));
  if (!headers.sip_pai && headers.caller_privacy && may_tell && !caller.user.empty())
    invite.headers.emplace_back("P-Asserted-Identity", address(caller.user, domain));
  if (headers.sip_rpid && may_tell) invite.headers.emplace_back("Remote-Party-ID", address(*headers.sip_rpid, domain));
  if (headers.sip_diversion) {
    NameAddress diversion;
    diversion.uri = identity(*headers.sip_diversion, domain);
    for (const auto& [name, value] : headers.diversion_parameters)
      diversion.parameters.emplace_back(name, quoted_if_needed(value));
    invite.headers.emplace_back("Diversion", diversion.to_string());
  }
}

void copy_headers(sip::Headers& into, const LegHeaders& headers, const InboundCall& caller) {
  for (const auto& name : headers.copy_headers) {
    if (headers.sip_pai && same_letters(name, "P-Asserted-Identity")) continue;  // the reply's own
    const bool found = std::any_of(caller.custom_headers.begin(), caller.custom_headers.end(),
                                   [&](const auto& one) { return same_letters(one.first, name); });
    if (found) remove(into, name);
    for (const auto& [present, value] : caller.custom_headers) {
      if (same_letters(present, name)) into.emplace_back(present, value);
    }
  }
}

}  // namespace

Result<sip::OutgoingInvite> outgoing_invite(const Destination& destination, const LegOrigin& origin) {
  auto target = Uri::parse(destination.address);
  if (!target) return fail("destAddr: " + target.error().message);
  const auto& headers = destination.headers;
  const auto& domain = origin.domain.name;
  const auto caller = caller_of(headers, origin);
  sip::OutgoingInvite invite;
  const auto* trunk = set_route(invite, *target, origin);
  if (target->scheme == "tel" && invite.routes.empty())
    return fail("destAddr: a tel: URI needs a trunk with `tel = true`, or just one trunk, or an outbound proxy");
  invite.target = target->to_string();
  invite.follow_redirects = origin.follow_redirects;
  if (origin.caller != nullptr) {
    invite.max_forwards = std::max(0, origin.caller->hops_left - 1);
    if (!origin.caller->loop_marks.empty()) invite.headers.emplace_back(LoopCheck::header, origin.caller->loop_marks);
  }
  invite.from = headers.caller_privacy ? anonymous : address(caller.user, domain, caller.display_name);
  auto to = *target;
  if (headers.sip_to) {
    to = identity(*headers.sip_to, target->scheme == "tel" ? domain : target->host);
    if (to.host == target->host) to.port = target->port;
  }
  invite.to = "<" + to.to_string() + ">";
  invite.contact_user = contact_user(headers.caller_privacy ? "anonymous" : identity(caller.user, domain).user,
                                     headers.contact_user_parameters);
  invite.contact_parameters = headers.contact_parameters;
  add_identities(invite, headers, caller, origin, trunk);
  if (origin.caller != nullptr) copy_headers(invite.headers, headers, *origin.caller);
  change(invite.headers, headers.x_headers);
  auto p_headers = headers.p_headers;
  if (headers.caller_privacy && (trunk == nullptr || !trunk->trusted)) {
    remove(invite.headers, "P-Asserted-Identity");  // copied
    std::erase_if(p_headers, [](const auto& one) { return same_letters(one.name, "P-Asserted-Identity"); });
  }
  change(invite.headers, p_headers);
  return invite;
}

Result<sip::OutgoingInvite> monitor_invite(const MonitorPlan& plan, const sip::OutgoingInvite& monitored,
                                           const LegOrigin& origin) {
  Destination destination;
  destination.address = plan.address;
  destination.headers.sip_from = plan.sip_from;
  destination.headers.sip_pai = plan.sip_from;
  auto invite = outgoing_invite(destination, origin);
  if (!invite) return invite;
  for (const auto& [name, value] : monitored.headers) {
    const bool custom = name.size() > 2 && name[1] == '-' &&
                        (same_letters(name.substr(0, 2), "x-") || same_letters(name.substr(0, 2), "p-"));
    const bool ours = plan.sip_from && same_letters(name, "P-Asserted-Identity");
    if (custom && !ours) invite->headers.emplace_back(name, value);
  }
  change(invite->headers, plan.x_headers);
  change(invite->headers, plan.p_headers);
  return invite;
}

std::string user_of(const std::string& uri) {
  const auto parsed = Uri::parse(uri);
  return parsed ? to_utf8(parsed->user) : std::string();
}

}  // namespace rw::call
