#include "call/fair_rate.h"

#include <algorithm>
#include <utility>

namespace rw::call {

std::optional<FairRate::Over> FairRate::take(double per_second, std::span<const Drawer> who, TimePoint now) {
  std::optional<std::size_t> over;
  double leaves = 0;
  for (std::size_t at = 0; at < who.size(); ++at) {
    if (!of(who[at].name).wait(who[at].share, now) || who[at].leaves <= leaves) continue;
    over = at;
    leaves = who[at].leaves;
  }
  const double burst = std::max(per_second, 1.0);
  const double kept = std::min(burst * leaves, burst - 1);
  if (const auto wait = whole_.wait(per_second, now, kept)) {
    if (whole_.wait(per_second, now)) over.reset();
    return Over{*wait, over};
  }
  (void)whole_.take(per_second, now);
  for (const auto& one : who) (void)of(one.name).take(one.share, now);
  return std::nullopt;
}

/// In two generations: one that has not been asked for during the last is gone.
TokenBucket& FairRate::of(const std::string& name) {
  if (const auto found = known_.find(name); found != known_.end()) return found->second;
  if (known_.size() >= most_known / 2) known_before_ = std::exchange(known_, {});
  const auto before = known_before_.find(name);
  return known_.emplace(name, before == known_before_.end() ? TokenBucket() : before->second).first->second;
}

}  // namespace rw::call
