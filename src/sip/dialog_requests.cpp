#include <charconv>

#include "sip/methods.h"
#include "sip/uri.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

/// A target refresh request may bring a new Contact (RFC 3261 12.2.2).
void refresh_target(Leg& leg, const Message& request) {
  const auto* contact = request.header("Contact");
  if (contact == nullptr) return;
  if (const auto address = NameAddress::parse(*contact)) leg.remote_target = address->uri.to_string();
}

}  // namespace

void UserAgent::Impl::inside_dialog(Leg& leg, IncomingRequest request, const std::string& transaction) {
  if (request.cseq <= leg.remote_cseq) {
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
  } else {  // OPTIONS
    outside_dialog(std::move(request), transaction);
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
  if (leg.invite || !leg.established) {  // the first one has not been answered (RFC 3261 14.2)
    respond(request, transaction, 500, {{"Retry-After", std::to_string(ids.number() % 10)}});
    return;
  }
  if (leg.offering || leg.update) {
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
  const bool our_offer =
      leg.offering || (leg.success && leg.success->wants_answer) || (leg.reliable && leg.reliable->wants_answer);
  if (!sdp.empty() && our_offer) {
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

void UserAgent::Impl::remote_bye(Leg& leg, const IncomingRequest& request, const std::string& transaction) {
  respond(request, transaction, 200);
  const auto* reason = request.message->header("Reason");
  end(leg, leg.established ? EndCause::remote_bye : EndCause::cancelled, 0, reason == nullptr ? "" : *reason);
}

}  // namespace rw::sip
