#include <algorithm>

#include "sip/status.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

bool is_safe(const Headers& headers) {
  return std::all_of(headers.begin(), headers.end(), [](const auto& one) {
    return one.first.find_first_of("\r\n:") == std::string::npos &&
           one.second.find_first_of("\r\n") == std::string::npos;
  });
}

}  // namespace

void UserAgent::Impl::say_trying(Leg& leg) {
  if (!std::exchange(leg.untold, false) || !leg.invite) return;
  respond(leg.invite->transaction, leg.invite->request.response(100, {}));
}

bool UserAgent::Impl::refuse(Leg& leg, int status, const Headers& headers) {
  if (!leg.untold || !leg.invite) return reject(leg, status, headers);
  if (status < 300 || status > 699 || !is_safe(headers)) return false;
  const auto pending = std::move(*leg.invite);
  leg.invite.reset();
  auto response = pending.request.response(status, pending.request.stateless_tag(tags));
  for (const auto& [name, value] : headers) response.add(name, value);
  send(pending.request.reply_to, response.serialise());
  by_invite.erase(pending.transaction);
  transactions.forget_server(pending.transaction);
  end(leg, EndCause::rejected, status);
  events.pop_back();  // whoever refuses knows
  return true;
}

bool UserAgent::Impl::provisional(Leg& leg, int status, std::string sdp, const Headers& headers) {
  if (!leg.invite || leg.established || status <= 100 || status >= 200 || !is_safe(headers)) return false;
  say_trying(leg);
  if (leg.reliable || leg.update) {  // one at a time (RFC 3262 section 3)
    leg.deferred_progress = Leg::Deferred{status, std::move(sdp), headers};
    return true;
  }
  if (leg.settled) sdp.clear();
  const auto& request = leg.invite->request;
  const bool required = lists(*request.message, "Require", "100rel");
  const bool reliable = required || (lists(*request.message, "Supported", "100rel") && !sdp.empty());
  auto response = request.response(status, leg.local_tag);
  for (const auto line : request.message->headers("Record-Route")) response.add("Record-Route", std::string(line));
  describe_us(response, leg);
  for (const auto& [name, value] : headers) response.add(name, value);
  if (!sdp.empty()) response.set_body(std::move(sdp), "application/sdp");
  if (!reliable) {
    respond(leg.invite->transaction, response);
    return true;
  }
  Leg::Reliable pending;
  pending.rseq = leg.next_rseq++;
  pending.described = !response.body().empty();
  pending.wants_answer = !response.body().empty() && request.body.sdp.empty();
  response.add("Require", "100rel");
  response.add("RSeq", std::to_string(pending.rseq));
  pending.bytes = response.serialise();
  pending.interval = times.t1;
  transactions.respond(leg.invite->transaction, status, pending.bytes, now);
  leg.reliable.emplace(std::move(pending));
  leg.reliable->retransmit =
      timers.start(now + times.t1, [this, id = leg.id, due = now + times.t1] { retransmit_reliable(id, due); });
  leg.reliable->give_up = timers.start(now + times.timeout(), [this, id = leg.id] {
    if (auto* found = this->leg(id)) reject(*found, 504, {});  // RFC 3262 section 3
  });
  return true;
}

void UserAgent::Impl::retransmit_reliable(LegId id, TimePoint due) {
  auto* leg = this->leg(id);
  if (leg == nullptr || !leg->reliable || !leg->invite) return;
  auto& reliable = *leg->reliable;
  transactions.respond(leg->invite->transaction, 183, reliable.bytes, now);
  reliable.interval *= 2;
  reliable.retransmit = timers.start(due + reliable.interval,
                                     [this, id, next = due + reliable.interval] { retransmit_reliable(id, next); });
}

bool UserAgent::Impl::answer(Leg& leg, std::string sdp, const Headers& headers) {
  if (!leg.invite || leg.established || !is_safe(headers)) return false;
  say_trying(leg);
  leg.deferred_progress.reset();
  if (leg.reliable || leg.update) {  // the 2xx waits for the PRACK (RFC 3262 section 3)
    leg.deferred_answer = Leg::Deferred{200, std::move(sdp), headers};
    return true;
  }
  leg.established = true;
  leg.invitation.cancel();
  const auto pending = std::move(*leg.invite);
  leg.invite.reset();
  by_invite.erase(pending.transaction);
  send_success(leg, pending, std::move(sdp), headers);
  return true;
}

void UserAgent::Impl::send_success(Leg& leg, const Pending& pending, std::string sdp, const Headers& headers) {
  auto response = pending.request.response(200, leg.local_tag);
  for (const auto line : pending.request.message->headers("Record-Route"))
    response.add("Record-Route", std::string(line));
  describe_us(response, leg);
  describe_session_timer(response, leg.session);
  for (const auto& [name, value] : headers) response.add(name, value);
  leg.last_sdp = sdp;
  const bool late = pending.request.body.sdp.empty();
  const bool settled = std::exchange(leg.settled, false);  // only once: a re-INVITE begins anew
  if (!settled || (!late && !leg.moved_on)) response.set_body(std::move(sdp), "application/sdp");
  Leg::Unacknowledged success;
  success.cseq = pending.request.cseq;
  success.bytes = response.serialise();
  success.flow = pending.request.reply_to;
  success.interval = times.t1;
  success.wants_answer = late && !settled;
  transactions.respond(pending.transaction, 200, success.bytes, now);
  leg.success.emplace(std::move(success));
  leg.success->retransmit =
      timers.start(now + times.t1, [this, id = leg.id, due = now + times.t1] { retransmit_success(id, due); });
  leg.success->give_up = timers.start(now + times.timeout(), [this, id = leg.id] { ack_missing(id); });
  watch_session(leg);
}

void UserAgent::Impl::retransmit_success(LegId id, TimePoint due) {
  auto* leg = this->leg(id);
  if (leg == nullptr || !leg->success) return;
  auto& success = *leg->success;
  send(success.flow, success.bytes);
  success.interval = std::min(2 * success.interval, times.t2);
  success.retransmit =
      timers.start(due + success.interval, [this, id, next = due + success.interval] { retransmit_success(id, next); });
}

void UserAgent::Impl::ack_missing(LegId id) {
  auto* leg = this->leg(id);
  if (leg == nullptr || !leg->success) return;
  leg->success.reset();
  if (leg->deferred_bye) {
    const auto reason = *std::exchange(leg->deferred_bye, std::nullopt);
    bye(*leg, reason, EndCause::local_bye);
  } else {
    bye(*leg, "SIP;cause=408;text=\"No ACK\"", EndCause::no_ack);
  }
}

bool UserAgent::Impl::reject(Leg& leg, int status, const Headers& headers) {
  if (!leg.invite || leg.established || status < 300 || status > 699 || !is_safe(headers)) return false;
  const auto pending = std::move(*leg.invite);
  leg.invite.reset();
  by_invite.erase(pending.transaction);
  auto response = pending.request.response(status, leg.local_tag);
  for (const auto& [name, value] : headers) response.add(name, value);
  if (!options.server_name.empty()) response.add("Server", options.server_name);
  respond(pending.transaction, response);
  end(leg, EndCause::rejected, status);
  return true;
}

bool UserAgent::Impl::answer_offer(Leg& leg, std::string sdp) {
  if (leg.update) {
    const auto pending = std::move(*leg.update);
    leg.update.reset();
    auto response = pending.request.response(200, leg.local_tag);
    describe_us(response, leg);
    if (pending.request.method() == "UPDATE") describe_session_timer(response, leg.session);
    leg.last_sdp = sdp;
    leg.moved_on = true;
    response.set_body(std::move(sdp), "application/sdp");
    respond(pending.transaction, response);
    watch_session(leg);
    go_on(leg);
    return true;
  }
  if (!leg.invite || !leg.established) return false;
  const auto pending = std::move(*leg.invite);
  leg.invite.reset();
  by_invite.erase(pending.transaction);
  send_success(leg, pending, std::move(sdp), {});
  return true;
}

bool UserAgent::Impl::reject_offer(Leg& leg, int status, const Headers& headers) {
  auto& waiting = leg.update ? leg.update : leg.invite;
  if (!waiting || (!leg.established && !leg.update) || status < 300 || status > 699 || !is_safe(headers)) return false;
  const auto pending = std::move(*waiting);
  waiting.reset();
  by_invite.erase(pending.transaction);
  respond(pending.request, pending.transaction, status, headers);
  go_on(leg);
  return true;
}

void UserAgent::Impl::go_on(Leg& leg) {
  if (leg.reliable || leg.update) return;
  if (leg.deferred_answer) {
    auto deferred = std::move(*leg.deferred_answer);
    leg.deferred_answer.reset();
    answer(leg, std::move(deferred.sdp), deferred.headers);
  } else if (leg.deferred_progress) {
    auto deferred = std::move(*leg.deferred_progress);
    leg.deferred_progress.reset();
    provisional(leg, deferred.status, std::move(deferred.sdp), deferred.headers);
  }
}

bool UserAgent::Impl::bye(Leg& leg, const std::string& reason, EndCause cause, int status, std::string phrase) {
  if (!leg.established || leg.leaving || reason.find_first_of("\r\n") != std::string::npos) return false;
  if (leg.success && cause == EndCause::local_bye) {  // not before the ACK (RFC 3261 15)
    leg.deferred_bye = reason;
    return true;
  }
  if (leg.subscription && leg.subscription->next)  // there will be no other time for it
    send_notify(leg, *leg.subscription, *std::exchange(leg.subscription->next, std::nullopt));
  leg.leaving = true;
  leg.session_timer.cancel();
  leg.session_expiry.cancel();
  leg.offer.reset();
  leg.success.reset();
  std::string branch;
  auto request = dialog_request(leg, "BYE", branch);
  if (!reason.empty()) request.add("Reason", reason);
  const bool told_now = cause != EndCause::local_bye;
  request_in_dialog(leg, std::move(request), branch, [this, id = leg.id](const Message& response) {
    auto* found = this->leg(id);
    if (found != nullptr && response.status() >= 200) end(*found, EndCause::local_bye, response.status());
  });
  if (told_now) end(leg, cause, status, {}, std::move(phrase));
  return true;
}

void UserAgent::Impl::end(Leg& leg, EndCause cause, int status, std::string reason, std::string phrase) {
  for (auto* waiting : {&leg.invite, &leg.update, &leg.refer}) {
    if (!*waiting) continue;
    by_invite.erase((*waiting)->transaction);
    respond((*waiting)->transaction, (*waiting)->request.response(487, leg.local_tag));
  }
  for (const auto& sent : {leg.call ? leg.call->sent : nullptr, leg.reinvite}) {
    if (sent) transactions.give_up_after(sent->branch, times.timeout(), now);
  }
  if (leg.call) by_lookup.erase(leg.call->lookup);
  if (phrase.empty() && status != 0) phrase = reason_phrase(status);
  events.emplace_back(Ended{leg.id, cause, status, std::move(reason), std::move(phrase)});
  by_local_tag.erase(leg.local_tag);
  if (!leg.outgoing) by_caller.erase(leg.call_id + '\n' + leg.remote_tag);
  legs.erase(leg.id);
}

}  // namespace rw::sip
