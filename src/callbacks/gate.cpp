#include "callbacks/gate.h"

#include <utility>

namespace rw::callbacks {

void Gate::enter(const std::string& key, std::optional<Duration> patience, Entered entered) {
  auto& line = lines_[key];
  ++size_;
  if (line.inside < most_) {
    ++line.inside;
    entered(true);
    return;
  }
  const auto waiter = line.waiters.insert(line.waiters.end(), Waiter{std::move(entered), nullptr});
  if (!patience) return;
  waiter->timer = std::make_unique<boost::asio::steady_timer>(loop_, *patience);
  waiter->timer->async_wait([this, key, waiter](const boost::system::error_code& error) {
    if (error) return;
    const auto given_up = std::move(waiter->entered);
    lines_.at(key).waiters.erase(waiter);
    --size_;
    given_up(false);
  });
}

void Gate::leave(const std::string& key) {
  const auto found = lines_.find(key);
  auto& line = found->second;
  --size_;
  // A timer that has expired just now can't be cancelled any more: its waiter is left to it.
  for (auto waiter = line.waiters.begin(); waiter != line.waiters.end(); ++waiter) {
    if (waiter->timer && waiter->timer->cancel() == 0) continue;
    const auto next = std::move(waiter->entered);
    line.waiters.erase(waiter);
    next(true);
    return;
  }
  if (--line.inside == 0 && line.waiters.empty()) lines_.erase(found);
}

}  // namespace rw::callbacks
