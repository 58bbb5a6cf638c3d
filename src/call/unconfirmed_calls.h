#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "net/address.h"

namespace rw::call {

/// Places for calls that have come in and of which nothing shows that their caller is there: no ACK, no PRACK. A source
/// and a trunk have only so many, so that INVITEs from nobody don't take the places of others. Counts over all shards.
/// Thread-safe: one short lock for each call.
class UnconfirmedCalls {
  struct State {
    std::mutex mutex;
    std::map<std::string, std::size_t> counts;
  };

 public:
  struct Limits {
    std::size_t per_source = 0;  ///< 0: any number, as below
    std::size_t per_trunk = 0;   ///< of a domain's callers without a trunk: all of them together
  };

  /// One call that is counted, until this is destroyed.
  class Place {
   public:
    Place() = default;
    Place(std::shared_ptr<State> state, std::string source, std::string trunk)
        : state_(std::move(state)), source_(std::move(source)), trunk_(std::move(trunk)) {}
    ~Place() { leave(); }
    Place(Place&& other) noexcept
        : state_(std::exchange(other.state_, nullptr)),
          source_(std::move(other.source_)),
          trunk_(std::move(other.trunk_)) {}
    Place& operator=(Place&& other) noexcept;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    bool taken() const { return state_ != nullptr; }
    void leave() noexcept;

   private:
    std::shared_ptr<State> state_;
    std::string source_, trunk_;
  };

  /// Without limits.
  UnconfirmedCalls();
  explicit UnconfirmedCalls(Limits limits) : limits_(limits) {}

  /// Not taken(): the source or the trunk has as many as it may have. `trunk`: empty: none.
  Place enter(const net::Address& source, const std::string& domain, const std::string& trunk);

 private:
  const Limits limits_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace rw::call
