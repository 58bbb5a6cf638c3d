#include <charconv>

#include "base/utf8.h"
#include "sip/header_values.h"
#include "sip/methods.h"
#include "sip/uri.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
void UserAgent::Impl::inside_dialog(Leg& leg, IncomingRequest request, const std::string& transaction) {
  listen_to(leg, request.from_tag);
  if (request.cseq <= leg.remote_cseq && leg.remote_tag == request.from_tag) {
    respond(request, transaction, 500);
    return;
  }
  leg.remote_cseq = request.cseq;
  const auto& method = request.method();
  if (method == "BYE") {
    remote_bye(leg, request, transaction);
  } else if (leg.leaving) {
    respond(request, transaction, 481);
  } else if (method == "INVITE") {
    reinvite(leg, std::move(request), transaction);
  } else if (method == "UPDATE") {
    update(leg, std::move(request), transaction);
  } else if (method == "PRACK") {
    prack(leg, request, transaction);
  } else if (method == "INFO") {
    respond(request, transaction, 200);
    const auto* type = request.message->header("Content-Type");
    events.emplace_back(InformationReceived{leg.id, type == nullptr ? "" : *type, request.message->body()});
  } else if (method == "REFER") {
    receive_refer(leg, std::move(request), transaction);
  } else {  // OPTIONS
    outside_dialog(request, transaction);
  }
}

bool UserAgent::Impl::agree_on_session(Leg& leg, const IncomingRequest& request, const std::string& transaction) {
  const SessionTimerLimits limits{options.session_expires, options.min_session_expires};
  const auto timer = agree_session_timer(*request.message, limits);
  if (!timer) {
    respond(request, transaction, 422, {{"Min-SE", std::to_string(limits.least)}});
    return false;
  }
  leg.session = *timer;
  return true;
}

void UserAgent::Impl::reinvite(Leg& leg, IncomingRequest request, const std::string& transaction) {
  if (leg.call || leg.reinvite) {  // ours is under way (RFC 3261 14.2)
    respond(request, transaction, 491);
    return;
  }
  if (leg.invite || !leg.established) {  // the first one has not been answered (RFC 3261 14.2)
    respond(request, transaction, 500, {{"Retry-After", std::to_string(ids.number() % 10)}});
    return;
  }
  if (leg.offering() || leg.update) {
    respond(request, transaction, 491);
    return;
  }
  if (!agree_on_session(leg, request, transaction)) return;
  refresh_target(leg, *request.message);
  auto sdp = request.message->body();
  by_invite.emplace(transaction, leg.id);
  leg.invite.emplace(Pending{std::move(request), transaction});
  events.emplace_back(OfferReceived{leg.id, OfferReceived::Method::invite, std::move(sdp)});
}

void UserAgent::Impl::update(Leg& leg, IncomingRequest request, const std::string& transaction) {
  const auto sdp = request.message->body();
  if (!sdp.empty() && leg.offering()) {
    respond(request, transaction, 491);
    return;
  }
  if (!sdp.empty() && (leg.invite || leg.update)) {  // their last offer has not been answered (RFC 3311 5.2)
    respond(request, transaction, 500, {{"Retry-After", std::to_string(ids.number() % 10)}});
    return;
  }
  if (!agree_on_session(leg, request, transaction)) return;
  refresh_target(leg, *request.message);
  const auto id = leg.id;
  if (sdp.empty()) {
    auto response = request.response(200, {});
    describe_us(response, leg);
    describe_session_timer(response, leg.session);
    respond(transaction, response);
    watch_session(leg);
    events.emplace_back(Refreshed{id, false});
    return;
  }
  leg.update.emplace(Pending{std::move(request), transaction});
  events.emplace_back(OfferReceived{id, OfferReceived::Method::update, sdp});
}

void UserAgent::Impl::prack(Leg& leg, const IncomingRequest& request, const std::string& transaction) {
  const auto* rack = request.message->header("RAck");
  std::uint32_t rseq = 0;
  if (rack != nullptr) std::from_chars(rack->data(), rack->data() + rack->size(), rseq);
  if (!leg.reliable || rseq != leg.reliable->rseq) {
    respond(request, transaction, 481);
    return;
  }
  const bool wants_answer = leg.reliable->wants_answer;
  if (!wants_answer && !request.message->body().empty()) {
    respond(request, transaction, 488);  // a second offer before the call is answered: UPDATE may bring it later
    return;
  }
  leg.reliable.reset();
  respond(request, transaction, 200);
  events.emplace_back(ProvisionalAcknowledged{leg.id, wants_answer ? request.message->body() : std::string{}});
  if (leg.deferred_answer) {
    auto deferred = std::move(*leg.deferred_answer);
    leg.deferred_answer.reset();
    answer(leg, std::move(deferred.sdp), deferred.headers);
  }
}

void UserAgent::Impl::listen_to(Leg& leg, const std::string& remote_tag) {
  if (!leg.call || leg.remote_tag == remote_tag) return;
  const auto known = leg.call->early.find(remote_tag);
  if (known == leg.call->early.end()) return;
  auto next = std::move(known->second);
  leg.call->early.erase(known);
  if (!leg.remote_tag.empty()) leg.call->early.emplace(leg.remote_tag, static_cast<Dialog&>(leg));
  static_cast<Dialog&>(leg) = std::move(next);
}

void UserAgent::Impl::remote_bye(Leg& leg, const IncomingRequest& request, const std::string& transaction) {
  respond(request, transaction, 200);
  bool was_up = leg.established;
  if (leg.call) {
    // Its 2xx was lost, but who sends BYE has answered; no other branch of a fork is wanted either.
    was_up = leg.call->cancel == OutgoingCall::Cancel::no;
    if (was_up && leg.call->provisional) send_cancel(leg);
  }
  end(leg, was_up ? EndCause::remote_bye : EndCause::cancelled, 0, text_of(*request.message, "Reason"));
}

}  // namespace rw::sip
