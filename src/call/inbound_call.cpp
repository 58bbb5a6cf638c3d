#include "call/inbound_call.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/ascii.h"
#include "base/utf8.h"
#include "call/loop_check.h"
#include "sip/uri.h"

namespace rw::call {
namespace {

constexpr std::string_view trunk_key = "x-trunk-key";  ///< a secret between the carrier and us

/// The headers whose names begin with `prefix`, as {"x-name": "value"} or {"x-name": ["value", …]}.
boost::json::object headers_with_prefix(const sip::Message& message, std::string_view prefix) {
  boost::json::object found;
  for (const auto& [name, value] : message.all_headers()) {
    const auto key = lower_case(name);
    if (!key.starts_with(prefix) || key == trunk_key) continue;
    const auto text = to_utf8(value);
    auto* present = found.if_contains(key);
    if (present == nullptr) {
      found[key] = text;
    } else if (auto* several = present->if_array()) {
      several->emplace_back(text);
    } else {
      *present = boost::json::array{*present, text};
    }
  }
  return found;
}

/// All values of a header that may stand on several lines, as one list, in UTF-8.
std::string joined(const sip::Message& message, std::string_view name) {
  std::string all;
  for (const auto value : message.headers(name)) {
    if (!all.empty()) all += ", ";
    all += value;
  }
  return to_utf8(std::move(all));
}

/// Whom a URI names, as an application is told: the user part; the number of a tel: URI without its visual separators,
/// which mean nothing (RFC 3966 5.1.1); the whole URI if it is of another scheme.
std::string user_of(const sip::Uri& uri) {
  if (!uri.opaque.empty()) return to_utf8(uri.to_string());
  auto user = to_utf8(uri.user);
  if (uri.scheme == "tel") std::erase_if(user, [](char c) { return c == '-' || c == '.' || c == '(' || c == ')'; });
  return user;
}

/// A name as it can be shown. Control characters are legal in a quoted string, but a reply that brought them back could
/// not be carried out.
std::string shown(const std::string& display_name) {
  auto text = to_utf8(display_name);
  std::erase_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return text;
}

}  // namespace

InboundCall InboundCall::read(const sip::Message& invite) {
  InboundCall call;
  if (const auto uri = sip::Uri::parse(invite.request_uri())) {
    call.called_party = user_of(*uri);
    call.called_host = uri->host;
  }
  if (const auto* from = invite.header("From")) {
    if (const auto address = sip::NameAddress::parse_any(*from)) {
      call.from_user = user_of(address->uri);
      call.display_name = shown(address->display_name);
      call.is_private = address->uri.host == "anonymous.invalid";
    }
  }
  call.calling_party = call.from_user;
  for (const auto line : invite.headers("P-Asserted-Identity")) {
    for (const auto item : sip::split_list(line)) {
      const auto address = sip::NameAddress::parse(item);
      if (!address || address->uri.user.empty() || !call.pai_number.empty()) continue;
      call.pai_number = call.calling_party = user_of(address->uri);
      if (!address->display_name.empty()) call.display_name = shown(address->display_name);
    }
  }
  if (const auto* privacy = invite.header("Privacy")) call.is_private = lower_case(*privacy) != "none";
  call.hops_left = LoopCheck::hops_left(invite);
  if (const auto* id = invite.header("Call-ID")) call.call_id = to_utf8(*id);
  if (const auto* trace = invite.header("X-Trace-Id"); trace != nullptr && trace->size() <= 128)
    call.trace_id = to_utf8(*trace);
  for (const auto& [name, value] : invite.all_headers()) {
    const auto key = lower_case(name);
    if ((key.starts_with("x-") && key != trunk_key) || key.starts_with("p-"))
      call.custom_headers.emplace_back(name, to_utf8(value));
  }
  return call;
}

boost::json::object new_call_members(const InboundCall& call, const sip::Message& invite, const sip::Flow& flow) {
  boost::json::object members{
      {"sipCallId", call.call_id},          {"callingPartyPrivacy", call.is_private ? "secret" : "public"},
      {"callingParty", call.calling_party}, {"fromUser", call.from_user},
      {"calledParty", call.called_party},   {"srcAddr", flow.remote.host()}};
  members["xHeaders"] = headers_with_prefix(invite, "x-");
  members["pHeaders"] = headers_with_prefix(invite, "p-");
  boost::json::array names;
  for (const auto* group : {"xHeaders", "pHeaders"}) {
    for (const auto& header : members[group].get_object()) names.emplace_back(header.key());
  }
  members["copyHeaders"] = std::move(names);
  const auto set = [&members](std::string_view name, std::string_view value) {
    if (!value.empty()) members[name] = value;
  };
  set("displayName", call.display_name);
  set("paiNumber", call.pai_number);
  set("diversionHeaders", joined(invite, "Diversion"));
  set("referredBy", joined(invite, "Referred-By"));
  set("subject", joined(invite, "Subject"));
  return members;
}

}  // namespace rw::call
