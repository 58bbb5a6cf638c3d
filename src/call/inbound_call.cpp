#include "call/inbound_call.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/ascii.h"
#include "base/utf8.h"
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

}  // namespace

InboundCall InboundCall::read(const sip::Message& invite) {
  InboundCall call;
  if (const auto uri = sip::Uri::parse(invite.request_uri())) {
    call.called_party = to_utf8(uri->user);
    call.called_host = uri->host;
    if (const auto* line = uri->parameter("line")) call.called_line = *line;
  }
  if (const auto* from = invite.header("From")) {
    if (const auto address = sip::NameAddress::parse(*from)) {
      call.from_user = to_utf8(address->uri.user);
      call.display_name = to_utf8(address->display_name);
      call.is_private = address->uri.host == "anonymous.invalid";
    }
  }
  call.calling_party = call.from_user;
  for (const auto line : invite.headers("P-Asserted-Identity")) {
    for (const auto item : sip::split_list(line)) {
      const auto address = sip::NameAddress::parse(item);
      if (!address || address->uri.user.empty() || !call.pai_number.empty()) continue;
      call.pai_number = call.calling_party = to_utf8(address->uri.user);
      if (!address->display_name.empty()) call.display_name = to_utf8(address->display_name);
    }
  }
  if (const auto* privacy = invite.header("Privacy")) call.is_private = lower_case(*privacy) != "none";
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
