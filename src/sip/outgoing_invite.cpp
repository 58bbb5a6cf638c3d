#include <algorithm>

#include "base/utf8.h"
#include "sip/header_values.h"
#include "sip/methods.h"
#include "sip/next_hops.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

bool breaks_the_line(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

Result<std::string> name_addr(std::string_view what, const std::string& text) {
  auto address = NameAddress::parse(text);
  if (!address) return fail(std::string(what) + ": " + address.error().message);
  std::erase_if(address->parameters, [](const auto& one) { return one.first == "tag"; });
  return address->to_string();
}

/// Checks what can't be sent, before there is a leg.
Result<void> check(const OutgoingInvite& wanted) {
  const auto target = Uri::parse(wanted.target);
  if (!target) return fail("target: " + target.error().message);
  if (target->scheme == "tel" && wanted.routes.empty()) return fail("target: a tel: URI without a route");
  if (wanted.sdp.empty()) return fail("sdp: empty");
  for (const auto& route : wanted.routes) {
    const auto address = NameAddress::parse(route);
    if (!address) return fail("routes: " + address.error().message);
  }
  const auto first = wanted.routes.empty() ? target : Result<Uri>(NameAddress::parse(wanted.routes.front())->uri);
  if (const auto hops = literal_hops(*first); !hops)
    return fail((wanted.routes.empty() ? "target: " : "routes: ") + hops.error().message);
  for (const auto& [name, value] : wanted.headers) {
    if (name.empty() || name.find(':') != std::string::npos || breaks_the_line(name) || breaks_the_line(value))
      return fail("headers: a line break or colon in " + name.substr(0, name.find_first_of("\r\n")));
  }
  return {};
}

/// The Contact's user and parameters; the host comes with the listener.
Result<Uri> contact_of(const OutgoingInvite& wanted) {
  auto contact = Uri::parse("sip:" + (wanted.contact_user.empty() ? "" : wanted.contact_user + "@") + "host");
  if (!contact) return fail("contact_user: " + contact.error().message);
  for (const auto& [name, value] : wanted.contact_parameters) {
    if (name.empty() || (name + value).find_first_of(" \t\r\n<>;?@\"") != std::string::npos)
      return fail("contact_parameters: " + name.substr(0, name.find_first_of("\r\n")));
    contact->parameters.emplace_back(name, value);
  }
  if (wanted.target.starts_with("sips:")) contact->scheme = "sips";
  return contact;
}

}  // namespace

Result<LegId> UserAgent::Impl::invite(OutgoingInvite wanted) {
  if (const auto usable = check(wanted); !usable) return tl::unexpected(usable.error());
  const auto from = name_addr("from", wanted.from);
  if (!from) return tl::unexpected(from.error());
  const auto to = name_addr("to", wanted.to);
  if (!to) return tl::unexpected(to.error());
  if (const auto contact = contact_of(wanted); !contact) return tl::unexpected(contact.error());

  const auto id = ++last_leg;
  Leg& leg = legs[id];
  leg.id = id;
  leg.outgoing = true;
  leg.call_id = options.shard_tag + ids.token(24);
  leg.local_tag = options.shard_tag + ids.token(16);
  leg.local = *from + ";tag=" + leg.local_tag;
  leg.remote = *to;
  leg.route_set = wanted.routes;
  leg.local_cseq = static_cast<std::uint32_t>(ids.number() & 0xffff);
  if (!wanted.credentials.empty()) leg.digest = std::make_shared<DigestClient>(std::move(wanted.credentials));
  leg.call = std::make_unique<OutgoingCall>();
  leg.call->session_expires = options.session_expires;
  leg.call->min_session_expires = options.min_session_expires;
  leg.call->targets.push_back(wanted.target);
  leg.call->wanted = std::move(wanted);
  by_local_tag.emplace(leg.local_tag, id);
  try_next_target(leg);
  return id;
}

void UserAgent::Impl::try_next_target(Leg& leg) {
  auto& call = *leg.call;
  while (call.next_target < call.targets.size()) {
    auto target = Uri::parse(call.targets[call.next_target++]);
    if (!target) continue;
    target->headers.clear();
    leg.remote_target = target->to_string();
    ++leg.local_cseq;
    const auto first =
        leg.route_set.empty() ? *target : NameAddress::parse(leg.route_set.front()).value_or(NameAddress{}).uri;
    const auto hops = literal_hops(first);
    if (!hops) continue;
    if (hops->empty()) {
      call.lookup = ++last_lookup;
      by_lookup.emplace(call.lookup, leg.id);
      call.lookup_limit = timers.start(now + times.timeout(), [this, lookup = call.lookup] { resolved(lookup, {}); });
      lookups.push_back({call.lookup, lookup_uri(first)});
      return;
    }
    call.hops.assign(1, {hops->front()});
    call.next_hop = 0;
    if (try_next_hop(leg, true)) return;
  }
  end(leg, EndCause::failed, call.status, std::string(call.reason), std::string(call.phrase));
}

void UserAgent::Impl::resolved(std::uint64_t lookup, std::vector<Flow> found) {
  constexpr std::size_t most = 32;
  if (ways_resolved(lookup, found)) return;
  const auto known = by_lookup.find(lookup);
  if (known == by_lookup.end()) return;
  auto& leg = legs.at(known->second);
  by_lookup.erase(known);
  auto& call = *leg.call;
  call.lookup = 0;
  call.lookup_limit.cancel();
  call.hops.clear();
  call.next_hop = 0;
  if (found.empty()) {
    call.status = 503;
    call.reason.clear();
    call.phrase = "No such host";
  }
  if (found.size() > most) found.resize(most);
  for (const auto& flow : found) call.hops.push_back({flow});
  if (!try_next_hop(leg, true)) try_next_target(leg);
}

bool UserAgent::Impl::try_next_hop(Leg& leg, bool unreachable) {
  auto& call = *leg.call;
  while (call.next_hop < call.hops.size()) {
    const auto& hop = call.hops[call.next_hop++];
    if (hop.only_if_unreachable && !unreachable) continue;
    if (call.wanted.routes.empty() && !may_reach(hop.flow, {})) {
      call.phrase = "The address is not one that may be used";
      continue;
    }
    const auto* listener = listener_for(options.listeners, hop.flow);
    if (listener == nullptr) {
      call.phrase = "No listener for the transport";
      continue;
    }
    auto flow = hop.flow;
    flow.local = listener->local;
    send_invite(leg, flow);
    return true;
  }
  return false;
}

Message UserAgent::Impl::build_invite(Leg& leg, std::string& branch) {
  const auto& call = *leg.call;
  --leg.local_cseq;  // dialog_request counts, but the same INVITE may go to several hops
  auto request = dialog_request(leg, "INVITE", branch);
  request.set("Max-Forwards", std::to_string(call.wanted.max_forwards));
  request.add("Allow", std::string(allowed_methods));
  request.add("Supported", std::string(supported_options));
  request.add("Session-Expires", std::to_string(call.session_expires));
  request.add("Min-SE", std::to_string(call.min_session_expires));
  for (const auto& [name, value] : call.wanted.headers) request.add(name, value);
  request.set_body(call.wanted.sdp, "application/sdp");
  if (leg.digest) leg.digest->authorise(request, ids);
  return request;
}

void UserAgent::Impl::send_invite(Leg& leg, const Flow& hop) {
  auto& call = *leg.call;
  leg.flow = hop;
  leg.contact = contact_for(hop, *contact_of(call.wanted));
  auto sent = std::make_shared<SentInvite>();
  sent->request = build_invite(leg, sent->branch);
  const bool last_resort = call.hops[call.next_hop - 1].only_if_unreachable;
  if (hop.transport == Transport::udp && !last_resort && sent->request.serialise().size() > max_udp_request) {
    Flow stream = hop;
    stream.transport = Transport::tcp;
    if (const auto* listener = listener_for(options.listeners, stream)) {
      stream.local = listener->local;
      call.hops[call.next_hop - 1].flow = stream;
      call.hops.insert(call.hops.begin() + static_cast<std::ptrdiff_t>(call.next_hop), {hop, true});
      send_invite(leg, stream);
      return;
    }
  }
  sent->dialog = static_cast<const Dialog&>(leg);
  call.sent = sent;
  call.provisional = false;
  call.early.clear();
  transactions.send_request(
      hop, sent->request, sent->branch,
      [this, id = leg.id, sent](const Message& response) { invite_response(id, sent, response); }, now);
}

bool UserAgent::Impl::cancel(Leg& leg, const std::string& reason) {
  if (!leg.call || leg.call->cancel != OutgoingCall::Cancel::no || breaks_the_line(reason)) return false;
  if (!leg.call->sent) {
    end(leg, EndCause::cancelled, 487);
    return true;
  }
  leg.call->cancel = OutgoingCall::Cancel::wanted;
  leg.call->cancel_reason = reason;
  if (leg.call->provisional) send_cancel(leg);
  return true;
}

void UserAgent::Impl::send_cancel(Leg& leg) {
  auto& call = *leg.call;
  call.cancel = OutgoingCall::Cancel::sent;
  const auto& invite = call.sent->request;
  auto request = Message::request("CANCEL", invite.request_uri());  // RFC 3261 9.1
  for (const auto* name : {"Via", "Max-Forwards", "Route", "From", "To", "Call-ID"}) {
    for (const auto value : invite.headers(name)) request.add(name, std::string(value));
  }
  request.add("CSeq", std::to_string(cseq_of(invite)) + " CANCEL");
  if (!call.cancel_reason.empty()) request.add("Reason", call.cancel_reason);
  if (!options.server_name.empty()) request.add("User-Agent", options.server_name);
  transactions.give_up_after(call.sent->branch, times.timeout(), now);
  transactions.send_request(
      call.sent->dialog.flow, request, call.sent->branch,
      [this, id = leg.id](const Message& response) {
        auto* found = this->leg(id);
        if (found == nullptr || !found->call || response.status() < 300 || response.status() == 481) return;
        if (Transactions::made_here(response)) return;  // the INVITE's own limit decides
        end(*found, EndCause::cancel_failed, response.status(), {}, to_utf8(response.reason_phrase()));
      },
      now);
}

}  // namespace rw::sip
