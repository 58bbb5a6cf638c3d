#include <algorithm>

#include "sip/header_values.h"
#include "sip/methods.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

constexpr auto most_lead = std::chrono::seconds(32);
/// Until a refresh that came to nothing is tried again.
constexpr auto pause = std::chrono::seconds(10);

}  // namespace

void UserAgent::Impl::watch_session(Leg& leg) {
  leg.session_timer.cancel();
  leg.session_expiry.cancel();
  if (leg.session.interval == 0 || !leg.established || leg.leaving) return;
  const Duration interval = std::chrono::seconds(leg.session.interval);
  const auto id = leg.id;
  if (leg.session.we_refresh) leg.session_timer = timers.start(now + interval / 2, [this, id] { refresh_session(id); });
  // Who only waits says BYE a little before the end (RFC 4028 section 10).
  const Duration lead = leg.session.we_refresh ? Duration::zero() : std::min<Duration>(most_lead, interval / 3);
  leg.session_expiry = timers.start(now + interval - lead, [this, id] {
    if (auto* found = this->leg(id)) bye(*found, "SIP;cause=408;text=\"Session expired\"", EndCause::session_expired);
  });
}

void UserAgent::Impl::ask_for_session(Message& request, const Leg& leg) const {
  if (leg.session.interval == 0) return;
  request.add("Session-Expires",
              std::to_string(leg.session.interval) + (leg.session.we_refresh ? ";refresher=uac" : ";refresher=uas"));
  request.add("Min-SE", std::to_string(std::min(leg.session.interval, options.min_session_expires)));
}

void UserAgent::Impl::refresh_session(LegId id) {
  auto* leg = this->leg(id);
  if (leg == nullptr || leg->leaving) return;
  if (!leg->peer_allows_update) {
    if (leg->offer || leg->invite || leg->update) {  // that one refreshes it too, if it succeeds
      leg->session_timer = timers.start(now + pause, [this, id] { refresh_session(id); });
      return;
    }
    start_offer(*leg, leg->last_sdp, true);
    return;
  }
  std::string branch;
  auto request = dialog_request(*leg, "UPDATE", branch);
  request.add("Supported", std::string(supported_options));
  ask_for_session(request, *leg);
  request_in_dialog(*leg, std::move(request), branch, [this, id](const Message& response) {
    auto* found = this->leg(id);
    if (found == nullptr || response.status() < 200 || found->leaving) return;
    if (response.status() == 408 || response.status() == 481) {
      bye(*found, "SIP;cause=408;text=\"Session expired\"", EndCause::session_expired);
      return;
    }
    if (response.status() / 100 == 2) refresh_target(*found, response);
    if (response.status() == 405 || response.status() == 501) {
      found->peer_allows_update = false;
      refresh_session(id);
      return;
    }
    session_refreshed(*found, response);
  });
}

bool UserAgent::Impl::lengthen_session(Leg& leg, const Message& response) {
  const auto least = number_of(response, "Min-SE");
  if (leg.session.interval == 0 || least <= leg.session.interval) return false;
  leg.session.interval = least;
  return true;
}

void UserAgent::Impl::session_refreshed(Leg& leg, const Message& response) {
  const auto id = leg.id;
  if (response.status() / 100 == 2) {
    if (response.header("Session-Expires") != nullptr)
      leg.session = session_timer_of(response, options.min_session_expires);
    watch_session(leg);
  } else if (response.status() == 422 && lengthen_session(leg, response)) {
    leg.session_timer = timers.start(now, [this, id] { refresh_session(id); });
  } else if (leg.session.interval != 0 && leg.session.we_refresh) {
    leg.session_timer = timers.start(now + pause, [this, id] { refresh_session(id); });  // until it expires
    events.emplace_back(RefreshRefused{id, response.status()});
  }
  if (leg.offer || !leg.next_offer) return;
  auto sdp = std::move(*leg.next_offer);
  leg.next_offer.reset();
  start_offer(leg, std::move(sdp), false);
}

}  // namespace rw::sip
