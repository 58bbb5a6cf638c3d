#include "call/unconfirmed_calls.h"

namespace rw::call {

UnconfirmedCalls::Place& UnconfirmedCalls::Place::operator=(Place&& other) noexcept {
  leave();
  state_ = std::exchange(other.state_, nullptr);
  source_ = std::move(other.source_);
  trunk_ = std::move(other.trunk_);
  return *this;
}

void UnconfirmedCalls::Place::leave() noexcept {
  const auto state = std::exchange(state_, nullptr);
  if (!state) return;
  const std::lock_guard lock(state->mutex);
  for (const auto* key : {&source_, &trunk_}) {
    const auto found = state->counts.find(*key);
    if (found != state->counts.end() && --found->second == 0) state->counts.erase(found);
  }
}

UnconfirmedCalls::UnconfirmedCalls() : UnconfirmedCalls(Limits{}) {}

UnconfirmedCalls::Place UnconfirmedCalls::enter(const net::Address& source, const std::string& domain,
                                                const std::string& trunk) {
  const auto from = source.site();
  const auto over = domain + "\n" + trunk;  // no address has a line break
  const std::lock_guard lock(state_->mutex);
  const auto full = [this](const std::string& key, std::size_t most) {
    const auto found = state_->counts.find(key);
    return most != 0 && found != state_->counts.end() && found->second >= most;
  };
  if (full(from, limits_.per_source) || full(over, limits_.per_trunk)) return {};
  ++state_->counts[from];
  ++state_->counts[over];
  return {state_, from, over};
}

}  // namespace rw::call
