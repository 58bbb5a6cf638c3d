#include "sip/header_values.h"
#include "sip/methods.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

/// How often glare is waited out.
constexpr int max_attempts = 10;
/// How long a re-INVITE may be worked on; timer C of RFC 3261 16.6.
constexpr auto patience = std::chrono::minutes(3);

}  // namespace

bool UserAgent::Impl::offer(Leg& leg, std::string sdp) {
  if (!leg.established || leg.leaving || leg.deferred_bye || sdp.empty()) return false;
  const bool theirs = leg.invite || leg.update;
  const bool ours = leg.next_offer || (leg.offer && !leg.offer->refresh);
  if (theirs || ours) return false;
  if (leg.offer) {
    leg.next_offer = std::move(sdp);
    return true;
  }
  start_offer(leg, std::move(sdp), false);
  return true;
}

void UserAgent::Impl::start_offer(Leg& leg, std::string sdp, bool refresh) {
  Leg::Offer offer;
  offer.sdp = std::move(sdp);
  offer.refresh = refresh;
  leg.offer.emplace(std::move(offer));
  send_offer(leg);
}

void UserAgent::Impl::send_offer(Leg& leg) {
  if (!leg.offer || leg.reinvite || leg.leaving) return;
  if (leg.success) return;  // comes back when that has been acknowledged
  if (leg.invite || leg.update) {
    leg.offer->retry = timers.start(now + glare_delay(leg), [this, id = leg.id] {
      if (auto* found = this->leg(id)) send_offer(*found);
    });
    return;
  }
  ++leg.offer->attempts;
  auto sent = std::make_shared<SentInvite>();
  sent->request = dialog_request(leg, "INVITE", sent->branch);
  sent->request.add("Allow", std::string(allowed_methods));
  sent->request.add("Supported", std::string(supported_options));
  ask_for_session(sent->request, leg);
  sent->request.set_body(leg.offer->sdp, "application/sdp");
  if (leg.digest) leg.digest->authorise(sent->request, ids);
  send_reinvite(leg, sent);
}

void UserAgent::Impl::send_reinvite(Leg& leg, const std::shared_ptr<SentInvite>& sent) {
  sent->dialog = static_cast<const Dialog&>(leg);
  leg.reinvite = sent;
  begin(std::make_shared<DialogRequest>(DialogRequest{
      .leg = leg.id,
      .course = Course(leg),
      .request = sent->request,
      .branch = sent->branch,
      .handler = [this, id = leg.id, sent](const Message& response) { reinvite_response(id, sent, response); },
      .digest = nullptr,
      .tries = {},
      .invite = sent,
      .ways = {}}));
}

void UserAgent::Impl::reinvite_response(LegId id, const std::shared_ptr<SentInvite>& sent, const Message& response) {
  auto* leg = this->leg(id);
  if (response.status() / 100 == 2) {
    if (const auto known = sent->acks.find(sent->dialog.remote_tag); known != sent->acks.end()) {
      acknowledge_again(*sent, leg, known->first);
      return;
    }
    Dialog& dialog = leg == nullptr ? sent->dialog : *leg;
    refresh_target(dialog, response);
    acknowledge(*sent, dialog);
  }
  if (leg == nullptr || leg->reinvite != sent) return;
  if (response.status() < 200) {
    if (!std::exchange(sent->proceeding, true)) transactions.give_up_after(sent->branch, patience, now);
    return;
  }
  leg->reinvite.reset();
  if (leg->leaving || !leg->offer) return;
  if (response.status() >= 300) {
    auto again = std::make_shared<SentInvite>(*sent);
    if (authorise_again(id, leg->digest.get(), again->request, again->branch, response, again->tries)) {
      again->proceeding = false;
      send_reinvite(*leg, again);
    } else if (leg->offer->refresh && response.status() == 422) {
      leg->offer.reset();
      session_refreshed(*leg, response);
    } else if (response.status() == 422 && lengthen_session(*leg, response)) {
      send_offer(*leg);
    } else {
      offer_refused(*leg, *leg->offer, response.status());
    }
    return;
  }
  const auto offer = std::move(*leg->offer);
  leg->offer.reset();
  leg->last_sdp = offer.sdp;
  if (!offer.refresh) events.emplace_back(OfferAnswered{id, response.status(), sdp_of(response)});
  session_refreshed(*leg, response);
}

void UserAgent::Impl::offer_refused(Leg& leg, Leg::Offer& offer, int status) {
  if (status == 408 || status == 481) {  // the dialog is gone (RFC 3261 12.2.1.2)
    if (offer.refresh) {
      bye(leg, "SIP;cause=408;text=\"Session expired\"", EndCause::session_expired);
    } else {
      bye(leg, "SIP;cause=" + std::to_string(status), EndCause::failed, status);
    }
    return;
  }
  if (status == 491 && offer.attempts < max_attempts) {
    offer.retry = timers.start(now + glare_delay(leg), [this, id = leg.id] {
      if (auto* found = this->leg(id)) send_offer(*found);
    });
    return;
  }
  const bool refresh = offer.refresh;
  leg.offer.reset();
  if (!refresh) {
    events.emplace_back(OfferAnswered{leg.id, status, {}});
    return;
  }
  session_refreshed(leg, Message::response(status));
}

Duration UserAgent::Impl::glare_delay(const Leg& leg) {
  const auto steps = static_cast<int>(ids.number() % (leg.outgoing ? 191 : 201));
  return std::chrono::milliseconds((leg.outgoing ? 2100 : 0) + 10 * steps);
}

}  // namespace rw::sip
