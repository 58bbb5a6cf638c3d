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
  follow(leg, request.flow);
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
    if (request.message->body().empty()) events.emplace_back(InformationReceived{leg.id, {}, {}});
    for (const auto& part : parts_of(*request.message, [](const BodyPart&) { return true; })) {
      if (auto content = part.content())
        events.emplace_back(InformationReceived{leg.id, std::string(part.content_type), std::move(*content)});
    }
  } else if (method == "REFER") {
    receive_refer(leg, std::move(request), transaction);
  } else {                                      // OPTIONS
    tell_abilities(request, transaction, 200);  // also while draining: this call goes on
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
  auto sdp = request.body.sdp;
  by_invite.emplace(transaction, leg.id);
  leg.invite.emplace(Pending{std::move(request), transaction});
  events.emplace_back(OfferReceived{leg.id, OfferReceived::Method::invite, std::move(sdp)});
}

void UserAgent::Impl::update(Leg& leg, IncomingRequest request, const std::string& transaction) {
  const auto sdp = request.body.sdp;
  if (!sdp.empty() && leg.offering()) {
    respond(request, transaction, 491);
    return;
  }
  const bool unanswered = leg.update || (leg.invite && (leg.established || !leg.settled));
  if (!sdp.empty() && unanswered) {  // their last offer (RFC 3311 5.2)
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
  // One that matches has done its work, whatever comes of its body (RFC 3262 section 3).
  const auto reliable = std::move(*leg.reliable);
  leg.reliable.reset();
  const auto& sdp = request.body.sdp;
  leg.settled = leg.settled || (reliable.described && (!reliable.wants_answer || !sdp.empty()));
  events.emplace_back(ProvisionalAcknowledged{leg.id, reliable.wants_answer ? sdp : std::string{},
                                              reliable.wants_answer && sdp.empty()});
  if (reliable.wants_answer || sdp.empty()) {
    respond(request, transaction, 200);
    if (reliable.wants_answer && !leg.settled) return;  // the call layer decides
  } else if (leg.settled && !leg.update) {
    leg.update.emplace(Pending{request, transaction});
    events.emplace_back(OfferReceived{leg.id, OfferReceived::Method::prack, sdp});
  } else {  // the INVITE's own offer has no answer yet
    respond(request, transaction, 488);
  }
  go_on(leg);
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
