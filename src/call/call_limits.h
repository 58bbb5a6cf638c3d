#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/time.h"
#include "call/fair_rate.h"
#include "tenant/directory.h"

namespace rw::call {

/// Counts the calls of each domain and of each trunk, over all shards, against their limits. Goes by names, so that the
/// counts outlive the snapshots of the directory, and a limit that is set at run time knows the calls that run.
/// Thread-safe: one short lock for each call.
class CallLimits {
  struct Count {
    std::size_t calls = 0;
    FairRate rate;
  };
  using Key = std::pair<std::string, std::string>;  ///< domain; trunk, or empty
  struct State {
    std::mutex mutex;
    std::map<Key, Count> counts;
  };

 public:
  /// One call that is counted, until this is destroyed.
  class Place {
   public:
    Place() = default;
    Place(std::shared_ptr<State> state, Key key) : state_(std::move(state)), key_(std::move(key)) {}
    ~Place() { leave(); }
    Place(Place&& other) noexcept : state_(std::exchange(other.state_, nullptr)), key_(std::move(other.key_)) {}
    Place& operator=(Place&& other) noexcept;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    void leave() noexcept;
    std::shared_ptr<State> state_;
    Key key_;
  };
  struct Full {
    int retry_after = 0;  ///< seconds
    std::string what;     ///< a sentence that names the limit
    bool share = false;   ///< others would still be let in
    bool server = false;  ///< it is the server's limit, not the domain's or the trunk's
  };

  /// `trunk`: null: the limits of the domain itself. `source`: an address whose calls no trunk has let in: of the rate
  /// it may always have a quarter; beyond, see FairRate.
  tl::expected<Place, Full> enter(const tenant::Domain& domain, const tenant::Trunk* trunk, TimePoint now,
                                  const std::string& source = {});

 private:
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace rw::call
