#include "call/hunt.h"

#include <algorithm>
#include <utility>

#include "call/joined.h"
#include "call/outgoing_leg.h"
#include "call/participant.h"

namespace rw::call {
namespace {

bool is_busy(int status) {
  return status == 486;
}
bool is_declined(int status) {
  return status == 600 || status == 603;
}
/// Is told before all else (section 4).
bool is_decisive(int status) {
  return is_busy(status) || is_declined(status);
}

constexpr Refusal elsewhere{200, "Call completed elsewhere"};
constexpr Refusal caller_left{487, "Request cancelled"};

}  // namespace

Hunt::Hunt(Services& services, Participant& caller, CallPlan plan)
    : services_(services), caller_(caller), plan_(std::move(plan)), connection_(services.ids.uuid()) {}

void Hunt::begin() {
  if (caller_.start_ringback(plan_.ringback)) next();
}

void Hunt::next() {
  // Placing may fail at once, from inside try_place(): the loop goes on, not the recursion.
  if (placing_ || over_) return;
  placing_ = true;
  while (!over_ && next_ < plan_.destinations.size() && (plan_.parallel || legs_.empty())) {
    const auto& destination = plan_.destinations[next_++];
    try_place(destination);
  }
  placing_ = false;
  if (!over_ && legs_.empty()) give_up();
}

bool Hunt::try_place(const Destination& destination) {
  const auto user = user_of(destination.address);
  const auto fail = [&](const std::string& id, const std::string& why) {
    const End end{EndReason::failed, 503, why, {}};
    if (id.empty())
      log_leg_failed(caller_.session().log(), {{}, caller_.session().domain(), destination.address, {}, {}}, end);
    remember({id, user, end});
    return false;
  };
  const auto domain = services_.directory()->domain(caller_.session().domain());
  if (!domain) return fail({}, "the domain is not served any more");
  auto invite =
      outgoing_invite(destination, LegOrigin{*domain, caller_.session().inbound(), caller_.user(),
                                             services_.settings.outbound_proxy, services_.settings.follow_redirects});
  if (!invite) return fail({}, invite.error().message);
  auto& callee =
      caller_.session().add(std::make_unique<Participant>(services_, caller_.session(), user, caller_.user()));
  callee.set_connection(connection_, caller_.id(), {});
  if (const auto placed = callee.place(*invite, &caller_); !placed) {
    const auto why = placed.error().message;
    fail(callee.id(), why);
    caller_.session().finish(callee, End{EndReason::failed, 503, why, {}});
    return false;
  }
  auto leg = std::make_unique<HuntedLeg>(services_, callee, destination.max_ring_time, *this, std::move(*invite));
  legs_.push_back(leg.get());
  callee.change(std::move(leg));
  return true;
}

void Hunt::early_media(const Participant& callee) {
  // A caller that has had no description yet gets one now; without an offer of its own it can hear nothing until it is
  // answered.
  if (!caller_.media().is_open() && !caller_.start_ringback(Ringback::silent)) return;
  if (caller_.media().is_open()) services_.media.join(caller_.media_leg(), callee.media_leg());
}

void Hunt::taken(HuntedLeg& leg) {
  std::erase(legs_, &leg);
  abandon(End{EndReason::cancelled, 487, "Call completed elsewhere", {}}, elsewhere, reason_header(elsewhere));
  legs_.push_back(&leg);  // until the caller has been answered, which may fail and end us
  if (!caller_.answer()) return;
  legs_.clear();
  over_ = true;
  auto& callee = leg.callee();
  JoinPlan to_callee{{Half::Role::called, caller_.facts(), connection_}, plan_.greeting};
  JoinPlan to_caller{{Half::Role::calling, callee.facts(), connection_}, std::move(plan_.greeting)};
  if (plan_.monitor) to_caller.monitor = MonitorOrder{std::move(*plan_.monitor), leg.invite()};
  to_caller.recording = plan_.recording;
  leg.forget();
  callee.change(std::make_unique<Joined>(services_, callee, std::move(to_callee)));
  caller_.change(std::make_unique<Joined>(services_, caller_, std::move(to_caller)));
}

void Hunt::failed(HuntedLeg& leg, const End& end) {
  std::erase(legs_, &leg);
  auto& callee = leg.callee();
  remember({callee.id(), callee.user(), end});
  if (ends_hunt(end.status)) next_ = plan_.destinations.size();
  next();
}

bool Hunt::ends_hunt(int status) const {
  if (plan_.parallel) return false;
  return (is_busy(status) && !plan_.continue_on_busy) || (is_declined(status) && !plan_.continue_on_declined);
}

void Hunt::remember(Failure failure) {
  if (!failure_ || !is_decisive(failure_->end.status)) failure_ = std::move(failure);
}

void Hunt::give_up() {
  over_ = true;
  CallEvent event;
  event.event = "calledPartyFailure";
  event.participant = failure_->participant;
  event.user = failure_->user;
  event.remote_participant = caller_.id();
  event.remote_user = caller_.user();
  event.connection = connection_;
  event.end = failure_->end;
  caller_.decide(event);
}

bool Hunt::hang_up_remote(const End& end) {
  if (over_) return false;
  next_ = plan_.destinations.size();
  failure_.reset();
  for (const auto legs = legs_; auto* leg : legs) leg->callee().hang_up(end, {487, "Hung up by the application"});
  return true;
}

void Hunt::stop(const End* end) {
  over_ = true;
  // Why the caller has left is passed on: phones keep no missed call that was "completed elsewhere" (RFC 3326 2).
  const bool says_why = end != nullptr && end->reason == EndReason::cancelled && !end->sip_reason.empty();
  abandon(End{EndReason::cancelled, 487, "Request cancelled", {}}, caller_left,
          says_why ? end->sip_reason : reason_header(caller_left));
}

void Hunt::abandon(const End& end, Refusal refusal, const std::string& reason) {
  for (auto* leg : std::exchange(legs_, {})) {
    leg->forget();
    leg->callee().hang_up(end, refusal, {}, reason);
  }
}

HuntedLeg::HuntedLeg(Services& services, Participant& callee, std::chrono::milliseconds max_ring_time, Hunt& hunt,
                     sip::OutgoingInvite invite)
    : Ringing(services, callee, max_ring_time), hunt_(&hunt), invite_(std::move(invite)) {}

bool HuntedLeg::hang_up_remote(const End& end) {
  if (hunt_ == nullptr) return false;
  hunt_->caller().hang_up(end, {480, "Hung up by the application"});
  return true;
}

void HuntedLeg::early_media() {
  if (hunt_ != nullptr) hunt_->early_media(participant());
}

void HuntedLeg::taken() {
  if (hunt_ != nullptr) hunt_->taken(*this);
}

void HuntedLeg::failed(const End& end) {
  if (auto* hunt = std::exchange(hunt_, nullptr)) hunt->failed(*this, end);
}

}  // namespace rw::call
