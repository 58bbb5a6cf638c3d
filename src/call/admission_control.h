#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "call/fair_rate.h"
#include "sip/user_agent.h"

namespace rw::call {

/// The server's own limits for new calls. One per shard.
class AdmissionControl {
 public:
  /// Of them one domain, and one source whom no trunk has let in, may always have so much; beyond, see FairRate.
  static constexpr double usual_share = 0.25;

  struct Limits {
    std::size_t max_calls = 0;  ///< at once
    double per_second = 1;
    double per_second_of_source = usual_share;  ///< its share of that
  };
  struct Full {
    int retry_after = 0;    ///< seconds
    std::string_view what;  ///< a sentence that names the limit
    bool share = false;     ///< others would still be let in
  };

  explicit AdmissionControl(Limits limits) : limits_(limits) {}

  /// Others from now on; calls that are there stay.
  void set_limits(Limits limits) { limits_ = limits; }
  /// While draining, every new call is refused.
  void set_draining(bool draining) { draining_ = draining; }
  bool draining() const { return draining_; }

  /// Before anything is done for a call: whether there may be none whosever it is. `calls`: how many there are now.
  /// Takes nothing.
  sip::Admission decide(std::size_t calls, TimePoint now);
  /// A call that nothing else refuses takes its place in the rate. `source`: empty: one that is known, by a trunk or
  /// by the API. Nothing: it may begin.
  std::optional<Full> enter(const std::string& domain, const std::string& source, TimePoint now);

 private:
  Limits limits_;
  FairRate rate_;
  bool draining_ = false;
};

}  // namespace rw::call
