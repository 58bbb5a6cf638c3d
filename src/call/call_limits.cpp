#include "call/call_limits.h"

#include <array>

namespace rw::call {
namespace {

constexpr double share_of_source = 0.25;
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
                                                                    const tenant::Trunk* trunk, TimePoint now,
                                                                    const std::string& source) {
  const auto& limits = trunk != nullptr ? trunk->limits : domain.limits;
  const auto who = trunk != nullptr ? "the trunk " + trunk->name : "the domain " + domain.name;
  Key key{domain.name, trunk != nullptr ? trunk->name : ""};
  const std::lock_guard lock(state_->mutex);
  auto& count = state_->counts[key];
  if (limits.max_calls && count.calls >= *limits.max_calls)
    return tl::unexpected(
        Full{when_full, who + " has its max_calls (" + std::to_string(*limits.max_calls) + ") at this moment"});
  if (limits.calls_per_second) {
    const std::array<FairRate::Drawer, 1> drawer{{{source, *limits.calls_per_second * share_of_source}}};
    const auto over = count.rate.take(*limits.calls_per_second, std::span(drawer).first(source.empty() ? 0 : 1), now);
    if (over && over->whose)
      return tl::unexpected(
          Full{over->retry_after, "a source has had its share of the calls_per_second of " + who, true});
    if (over) return tl::unexpected(Full{over->retry_after, who + " has had its calls_per_second"});
  }
  ++count.calls;
  return Place(state_, std::move(key));
}

}  // namespace rw::call
