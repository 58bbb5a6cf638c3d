#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "base/token_bucket.h"

namespace rw::call {

/// A rate that several draw on. Each of them may always have its share. What it wants beyond, it gets while it leaves
/// enough of a second's worth for the others: so one that is alone may have the whole rate, in somewhat smaller bursts,
/// and none uses up what others need. Knows so many of them; those that have been away longest are forgotten. Not
/// thread-safe.
class FairRate {
 public:
  static constexpr std::size_t most_known = 10'000;

  /// Somebody who draws on it, and what it may always have of it a second.
  struct Drawer {
    std::string name;
    double share = 0;
    double leaves = 0.5;  ///< of a second's worth, if it wants more than that
  };
  struct Over {
    int retry_after = 0;               ///< seconds
    std::optional<std::size_t> whose;  ///< of `who`, who has had its share; nothing: the whole rate has been had
  };

  /// Whether nothing at all is left: seconds until it makes sense to try again. Takes nothing.
  std::optional<int> exhausted(double per_second, TimePoint now) { return whole_.wait(per_second, now); }
  /// One for all of `who` (none: for somebody who is not to be limited more than by the whole rate). Nothing: it may
  /// be.
  std::optional<Over> take(double per_second, std::span<const Drawer> who, TimePoint now);

 private:
  TokenBucket& of(const std::string& name);

  TokenBucket whole_;
  std::unordered_map<std::string, TokenBucket> known_, known_before_;
};

}  // namespace rw::call
