#include "call/call_limits.h"

namespace rw::call {
namespace {

constexpr int when_full = 10;  ///< seconds until it makes sense to try again

}  // namespace

CallLimits::Place& CallLimits::Place::operator=(Place&& other) noexcept {
  leave();
  state_ = std::exchange(other.state_, nullptr);
  key_ = std::move(other.key_);
  return *this;
}

void CallLimits::Place::leave() noexcept {
  const auto state = std::exchange(state_, nullptr);
  if (!state) return;
  const std::lock_guard lock(state->mutex);
  const auto found = state->counts.find(key_);
  if (found != state->counts.end() && found->second.calls > 0) --found->second.calls;
}

tl::expected<CallLimits::Place, CallLimits::Full> CallLimits::enter(const tenant::Domain& domain,
                                                                    const tenant::Trunk* trunk, TimePoint now) {
  const auto& limits = trunk != nullptr ? trunk->limits : domain.limits;
  const auto who = trunk != nullptr ? "the trunk " + trunk->name : "the domain " + domain.name;
  Key key{domain.name, trunk != nullptr ? trunk->name : ""};
  const std::lock_guard lock(state_->mutex);
  auto& count = state_->counts[key];
  if (limits.max_calls && count.calls >= *limits.max_calls)
    return tl::unexpected(
        Full{when_full, who + " has its max_calls (" + std::to_string(*limits.max_calls) + ") at this moment"});
  if (limits.calls_per_second) {
    if (const auto wait = count.rate.take(*limits.calls_per_second, now))
      return tl::unexpected(Full{*wait, who + " has had its calls_per_second"});
  }
  ++count.calls;
  return Place(state_, std::move(key));
}

}  // namespace rw::call
