#include "sip/user_agent.h"

#include "sip/user_agent_impl.h"

/// The façade: hands everything on, with the time.
namespace rw::sip {

UserAgent::UserAgent(UserAgentOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
UserAgent::~UserAgent() = default;

void UserAgent::receive(const Flow& flow, std::string_view message, TimePoint now) {
  impl_->receive(flow, message, now);
}

void UserAgent::connection_closed(const Flow& flow, TimePoint now) {
  impl_->now = now;
  impl_->connection_closed(flow);
}

void UserAgent::advance(TimePoint now) {
  impl_->now = now;
  impl_->timers.advance(now);
}

std::optional<TimePoint> UserAgent::next_timer() const {
  return impl_->timers.next();
}

void UserAgent::resolved(std::uint64_t lookup, std::vector<Flow> hops, TimePoint now) {
  impl_->now = now;
  impl_->resolved(lookup, std::move(hops));
}

void UserAgent::take_lookups(std::vector<Lookup>& into) {
  std::move(impl_->lookups.begin(), impl_->lookups.end(), std::back_inserter(into));
  impl_->lookups.clear();
}

void UserAgent::take_transmits(std::vector<Transmit>& into) {
  for (const auto id : std::exchange(impl_->untold, {})) {
    if (auto* leg = impl_->leg(id)) impl_->say_trying(*leg);
  }
  std::move(impl_->transmits.begin(), impl_->transmits.end(), std::back_inserter(into));
  impl_->transmits.clear();
}

void UserAgent::take_events(std::vector<Event>& into) {
  std::move(impl_->events.begin(), impl_->events.end(), std::back_inserter(into));
  impl_->events.clear();
}

bool UserAgent::provisional(LegId id, int status, std::string sdp, const Headers& headers, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->provisional(*leg, status, std::move(sdp), headers);
}

bool UserAgent::answer(LegId id, std::string sdp, const Headers& headers, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->answer(*leg, std::move(sdp), headers);
}

bool UserAgent::reject(LegId id, int status, const Headers& headers, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->reject(*leg, status, headers);
}

bool UserAgent::refuse(LegId id, int status, const Headers& headers, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->refuse(*leg, status, headers);
}

bool UserAgent::answer_offer(LegId id, std::string sdp, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->answer_offer(*leg, std::move(sdp));
}

bool UserAgent::reject_offer(LegId id, int status, const Headers& headers, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->reject_offer(*leg, status, headers);
}

bool UserAgent::wants_early_offer(LegId id) const {
  const auto* leg = impl_->leg(id);
  if (leg == nullptr || !leg->invite || leg->established || leg->settled) return false;
  const auto& request = leg->invite->request;
  return request.body.sdp.empty() && lists(*request.message, "Require", "100rel");
}

bool UserAgent::bye(LegId id, const std::string& reason, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->bye(*leg, reason, EndCause::local_bye);
}

Result<LegId> UserAgent::invite(OutgoingInvite invite, TimePoint now) {
  impl_->now = now;
  return impl_->invite(std::move(invite));
}

bool UserAgent::cancel(LegId id, const std::string& reason, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->cancel(*leg, reason);
}

bool UserAgent::offer(LegId id, std::string sdp, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->offer(*leg, std::move(sdp));
}

bool UserAgent::accept_refer(LegId id, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->accept_refer(*leg);
}

bool UserAgent::reject_refer(LegId id, int status, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->reject_refer(*leg, status);
}

bool UserAgent::notify_refer(LegId id, int status, TimePoint now) {
  impl_->now = now;
  auto* leg = impl_->leg(id);
  return leg != nullptr && impl_->notify_refer(*leg, status);
}

std::string UserAgent::call_id(LegId id) const {
  const auto* leg = impl_->leg(id);
  return leg == nullptr ? "" : leg->call_id;
}

std::uint32_t UserAgent::session_interval(LegId id) const {
  const auto* leg = impl_->leg(id);
  return leg == nullptr ? 0 : leg->session.interval;
}

void UserAgent::set_draining(bool draining) {
  impl_->draining = draining;
}

std::vector<std::string> UserAgent::server_transactions() const {
  return impl_->transactions.server_keys();
}

UserAgent::Counts UserAgent::counts() const {
  return {impl_->legs.size(), impl_->transactions.size() + impl_->way_lookups.size(), impl_->timers.size()};
}

}  // namespace rw::sip
