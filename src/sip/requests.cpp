#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/trim.h"
#include "base/utf8.h"
#include "sip/header_values.h"
#include "sip/methods.h"
#include "sip/uri.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

/// Whether an answer may have a session description: Accept names its type, or nothing (RFC 3261 20.1).
bool takes_sdp(const Message& message) {
  static constexpr std::array<std::string_view, 3> ours{"application/sdp", "application/*", "*/*"};
  bool named = false;
  for (const auto line : message.headers("Accept")) {
    for (const auto item : split_list(line)) {
      const auto type = trimmed(item.substr(0, item.find(';')));
      if (std::ranges::any_of(ours, [type](std::string_view one) { return same_letters(one, type); })) return true;
      named = true;
    }
  }
  return !named;
}

/// An INVITE outside a dialog.
bool is_new_invite(const IncomingRequest& request) {
  return request.method() == "INVITE" && request.to_tag.empty();
}

}  // namespace

UserAgent::Impl::Impl(UserAgentOptions given)
    : options(std::move(given)),
      times{.t1 = options.t1},
      transactions(
          timers, times, [this](const Flow& flow, std::string bytes) { send(flow, std::move(bytes)); },
          options.forgotten),
      tags(options.shard_tag) {}

Leg* UserAgent::Impl::leg(LegId id) {
  const auto found = legs.find(id);
  return found == legs.end() ? nullptr : &found->second;
}

Leg* UserAgent::Impl::leg_of(const IncomingRequest& request) {
  const auto found = by_local_tag.find(request.to_tag);
  if (found == by_local_tag.end()) return nullptr;
  auto* leg = this->leg(found->second);
  if (leg == nullptr || leg->call_id != request.call_id) return nullptr;
  if (leg->remote_tag == request.from_tag) return leg;
  // Before our INVITE is answered there may be several early dialogs; and a BYE may overtake the 2xx.
  const bool early =
      leg->call && leg->call->sent && (leg->call->early.contains(request.from_tag) || request.method() == "BYE");
  return early ? leg : nullptr;
}

void UserAgent::Impl::receive(const Flow& flow, std::string_view text, TimePoint time) {
  now = time;
  if (text.find_first_not_of("\r\n") == std::string_view::npos) {
    if (is_stream(flow.transport) && text.size() >= 4) send(flow, "\r\n");  // the pong of RFC 5626 3.5.1
    return;
  }
  std::string_view body;
  auto message = Message::parse_head(text, body);
  if (!message) {
    refuse_unreadable(flow, text, message.error().message);
    return;
  }
  if (!message->is_request()) {
    const auto* line = message->header("Via");
    const auto values = line == nullptr ? std::vector<std::string_view>{} : split_list(*line);
    const auto via = values.empty() ? Result<Via>(fail("no Via")) : Via::parse(values.front());
    if (!via) return;
    message->keep_body(body);
    transactions.response(*message, via->branch, now);
    return;
  }
  const auto head = std::make_shared<Message>(std::move(*message));
  auto request = IncomingRequest::read(head, flow);
  if (!request) {
    refuse_unreadable(flow, text, request.error().message);
    return;
  }
  if (is_of_interest(*request)) head->keep_body(body);
  receive_request(std::move(*request));
}

bool UserAgent::Impl::is_of_interest(const IncomingRequest& request) {
  return is_allowed(request.method()) && (is_new_invite(request) || leg_of(request) != nullptr);
}

void UserAgent::Impl::refuse_unreadable(const Flow& flow, std::string_view text, const std::string& why) {
  auto answer = bad_request(text, why, tags);
  if (answer.empty()) return;
  if (options.refused) options.refused({{}, {}, why == "bad SIP version" ? 505 : 400, why, flow});
  send(flow, std::move(answer));
}

void UserAgent::Impl::receive_request(IncomingRequest request) {
  const bool is_ack = request.method() == "ACK";
  const auto transaction =
      Transactions::server_key(*request.message, request.via, is_ack ? "INVITE" : request.method());
  if (transactions.absorb(transaction, is_ack, now)) return;
  if (is_ack) {
    receive_ack(std::move(request));
    return;
  }
  if (is_new_invite(request) && options.admit) {
    const auto admission = options.admit(*request.message, request.flow, now);
    if (admission.status != 0) {
      if (admission.silent) return;
      auto refusal = request.response(admission.status, request.stateless_tag(tags));
      for (const auto& [name, value] : admission.headers) refusal.add(name, value);
      if (admission.retry_after != 0) refusal.add("Retry-After", std::to_string(admission.retry_after));
      send(request.reply_to, refusal.serialise());
      return;
    }
    request.stranger = admission.stranger;
  }
  auto* leg = request.to_tag.empty() ? nullptr : leg_of(request);
  if (leg != nullptr && is_too_much(*leg, request)) return;
  request.body = SessionBody::read(*request.message);
  // Nothing is kept of what is answered at once, and would be answered the same if it came again.
  stateless.reset();
  if (request.method() == "CANCEL" || leg == nullptr || !is_allowed(request.method())) {
    stateless.emplace(Stateless{transaction, request.reply_to});
  } else {
    transactions.begin_server(transaction, request.reply_to, request.method() == "INVITE");
  }
  answer_request(leg, std::move(request), transaction);
  stateless.reset();
}

void UserAgent::Impl::answer_request(Leg* leg, IncomingRequest request, const std::string& transaction) {
  if (request.method() == "CANCEL") {
    receive_cancel(request);
  } else if (auto refusal = objection(request)) {
    tell_refused(request, *refusal);
    respond(transaction, *refusal);
  } else if (leg != nullptr) {
    inside_dialog(*leg, std::move(request), transaction);
  } else if (request.to_tag.empty()) {
    outside_dialog(request, transaction);
  } else {
    respond(request, transaction, 481);
  }
}

std::optional<Message> UserAgent::Impl::objection(const IncomingRequest& request) const {
  const auto& message = *request.message;
  const auto refused = [&](int status) { return request.response(status, request.stateless_tag(tags)); };
  const auto uri = Uri::parse(message.request_uri());
  const bool other_scheme = !uri && uri.error().message.starts_with(Uri::other_scheme);
  if (!uri && !other_scheme) return refused(400);
  if (!is_allowed(request.method())) {
    auto response = refused(is_known(request.method()) ? 405 : 501);
    response.add("Allow", std::string(allowed_methods));
    return response;
  }
  std::string unsupported;
  for (const auto line : message.headers("Require")) {
    for (const auto option : split_list(line)) {
      if (is_supported(option)) continue;
      unsupported += (unsupported.empty() ? "" : ", ") + std::string(option);
    }
  }
  if (!unsupported.empty()) {
    auto response = refused(420);
    response.add("Unsupported", std::move(unsupported));
    return response;
  }
  if (request.method() != "INVITE" && message.header("Replaces") != nullptr) return refused(400);
  if (other_scheme) return refused(416);
  const bool carries_sdp = request.method() == "INVITE" || request.method() == "UPDATE" || request.method() == "PRACK";
  if (carries_sdp && request.body.refused) {
    auto response = refused(415);
    response.add("Accept", std::string(accepted_types));
    response.add("Accept-Encoding", "identity");
    return response;
  }
  if (request.method() == "INVITE" && !takes_sdp(message)) {
    auto response = refused(406);
    response.add("Warning", "399 ringwright \"application/sdp is not among what Accept names\"");
    return response;
  }
  return std::nullopt;
}

bool UserAgent::Impl::is_too_much(Leg& leg, const IncomingRequest& request) {
  static constexpr std::array<std::string_view, 3> always{"BYE", "CANCEL", "PRACK"};
  if (!is_allowed(request.method()) || std::ranges::find(always, request.method()) != always.end()) return false;
  const auto wait = leg.requests.take(options.requests_per_second, now);
  if (!wait) return false;
  if (options.flooded) options.flooded();
  auto refusal = request.response(500, {});
  refusal.add("Retry-After", std::to_string(*wait));
  send(request.reply_to, refusal.serialise());
  return true;
}

void UserAgent::Impl::receive_ack(IncomingRequest request) {
  auto* leg = leg_of(request);
  if (leg == nullptr || !leg->success || leg->success->cseq != request.cseq) return;
  request.body = SessionBody::read(*request.message);
  follow(*leg, request.flow);
  const bool wants_answer = leg->success->wants_answer;
  leg->success.reset();
  if (leg->deferred_bye) {
    const auto reason = *std::exchange(leg->deferred_bye, std::nullopt);
    bye(*leg, reason, EndCause::local_bye);
    return;
  }
  const auto& sdp = request.body.sdp;
  events.emplace_back(Acknowledged{leg->id, wants_answer ? sdp : std::string{}, wants_answer && sdp.empty()});
  send_offer(*leg);
}

void UserAgent::Impl::receive_cancel(const IncomingRequest& request) {
  const auto own = Transactions::server_key(*request.message, request.via, "CANCEL");
  const auto invite = Transactions::server_key(*request.message, request.via, "INVITE");
  if (!transactions.has_server(invite)) {
    respond(request, own, 481);
    return;
  }
  const auto found = by_invite.find(invite);
  if (found == by_invite.end()) {  // the final response has been sent: too late
    respond(request, own, 200);
    return;
  }
  auto& leg = legs.at(found->second);
  respond(own, request.response(200, leg.local_tag));  // the same tag as the 487 (RFC 3261 9.2)
  std::string reason;
  for (const auto value : request.message->headers("Reason")) reason.append(reason.empty() ? "" : ", ").append(value);
  withdraw(leg, to_utf8(std::move(reason)));
}

void UserAgent::Impl::withdraw(Leg& leg, std::string reason) {
  say_trying(leg);
  const auto pending = std::move(*leg.invite);
  leg.invite.reset();
  by_invite.erase(pending.transaction);
  respond(pending.transaction, pending.request.response(487, leg.local_tag));
  if (leg.established) return;  // only the re-INVITE is cancelled
  events.emplace_back(InviteCancelled{leg.id, reason});
  end(leg, EndCause::cancelled, 487, std::move(reason));
}

void UserAgent::Impl::outside_dialog(const IncomingRequest& request, const std::string& transaction) {
  if (request.method() == "INVITE") {
    new_invite(request, transaction);
  } else if (request.method() == "OPTIONS") {
    tell_abilities(request, transaction, draining ? 503 : 200);
  } else {  // a REFER only means something to a call; the others belong to a dialog
    respond(request, transaction, request.method() == "REFER" ? 403 : 481);
  }
}

void UserAgent::Impl::tell_abilities(const IncomingRequest& request, const std::string& transaction, int status) {
  auto response = request.response(status, request.stateless_tag(tags));
  response.add("Allow", std::string(allowed_methods));
  response.add("Accept", std::string(accepted_types));
  response.add("Supported", std::string(supported_options));
  if (status == 503) response.add("Retry-After", "30");
  respond(transaction, response);
}

void UserAgent::Impl::new_invite(const IncomingRequest& request, const std::string& transaction) {
  const auto caller = request.call_id + '\n' + request.from_tag;
  if (const auto known = by_caller.find(caller); known != by_caller.end()) {
    const auto* other = leg(known->second);
    respond(request, transaction, other != nullptr && other->remote_cseq == request.cseq ? 482 : 500);
    return;
  }
  const auto* contact = request.message->header("Contact");
  const auto contacts = contact == nullptr ? std::vector<std::string_view>{} : split_list(*contact);
  // A caller of RFC 2543, which needed neither tag nor Contact, is called back by its From (RFC 4475 3.4.1).
  const bool old = contacts.empty() && request.from_tag.empty();
  const auto target = old                    ? NameAddress::parse(*request.message->header("From"))
                      : contacts.size() == 1 ? NameAddress::parse(contacts.front())
                                             : Result<NameAddress>(fail("no single Contact"));
  if (!target) {
    respond(request, transaction, 400);
    return;
  }
  const auto [replaced, refusal] = replaced_by(request);
  if (refusal != 0) {
    respond(request, transaction, refusal);
    return;
  }
  const auto id = ++last_leg;
  Leg& leg = legs[id];
  leg.id = id;
  leg.session = {};
  leg.call_id = request.call_id;
  leg.remote_tag = request.from_tag;
  leg.local_tag = options.shard_tag + ids.token(16);
  leg.local = *request.message->header("To") + ";tag=" + leg.local_tag;
  leg.remote = *request.message->header("From");
  leg.remote_target = target->uri.to_string();
  for (const auto line : request.message->headers("Record-Route")) {
    for (const auto route : split_list(line)) leg.route_set.emplace_back(route);
  }
  leg.remote_cseq = request.cseq;
  leg.local_cseq = static_cast<std::uint32_t>(ids.number() & 0xffff);
  leg.flow = request.flow;
  Uri us;
  us.scheme = "sip";
  us.user = Uri::parse(request.message->request_uri())->user;
  leg.contact = contact_for(request.flow, std::move(us));
  leg.peer_allows_update = lists(*request.message, "Allow", "UPDATE");
  by_local_tag.emplace(leg.local_tag, id);
  by_invite.emplace(transaction, id);
  by_caller.emplace(caller, id);
  leg.invite.emplace(Pending{request, transaction});
  if (!agree_on_session(leg, request, transaction)) {
    leg.invite.reset();
    by_invite.erase(transaction);
    end(leg, EndCause::rejected, 422);
    events.pop_back();  // nobody has heard of this leg
    return;
  }
  stateless.reset();
  transactions.begin_server(transaction, request.reply_to, true, !request.stranger);
  leg.untold = true;
  untold.push_back(id);
  std::uint32_t time = 0;
  const auto expires = value_of(*request.message, "Expires");
  if (std::from_chars(expires.data(), expires.data() + expires.size(), time).ec == std::errc{}) {  // RFC 3261 13.3.1
    leg.invitation = timers.start(now + std::chrono::seconds(time), [this, id] {
      auto* found = this->leg(id);
      if (found != nullptr && found->invite && !found->established) withdraw(*found, {});
    });
  }
  events.emplace_back(
      IncomingInvite{id, request.message, request.flow, replaced, request.body.sdp, request.body.ignored});
}

void UserAgent::Impl::connection_closed(const Flow& flow) {
  const auto forget = [&flow](Dialog& dialog) {
    const bool same = is_stream(dialog.flow.transport) && dialog.flow.connection == flow.connection;
    if (same && flow.connection != 0) lose(dialog.flow);
  };
  for (auto& [id, leg] : legs) {
    forget(leg);
    if (!leg.call) continue;
    for (auto& [tag, dialog] : leg.call->early) forget(dialog);
  }
  transactions.connection_closed(flow);
}

}  // namespace rw::sip
