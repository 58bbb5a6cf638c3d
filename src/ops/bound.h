#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace rw::ops {

/// What is bounded, as in the metric ringwright_refused_total{bound}. A new bound is one more line here (and one in
/// docs/security.md, which says what each is).
inline constexpr std::array<std::string_view, 16> bound_names{
    "maxForwards",    "loop",           "sipTargets", "unconfirmedMedia", "unconfirmedCalls", "sipTransactions",
    "sipConnections", "sipCredentials", "logLines",   "idempotencyKeys",  "storage",          "storageReserve",
    "uploads",        "mediaTargets",   "callShare",  "dialogRequests",
};

/// One of bound_names; a name that is not there does not compile.
class Bound {
 public:
  consteval Bound(const char* name) : index_(find(name)) {}  // NOLINT(google-explicit-constructor)
  constexpr std::size_t index() const { return index_; }

 private:
  static consteval std::size_t find(std::string_view name) {
    for (std::size_t at = 0; at < bound_names.size(); ++at) {
      if (bound_names[at] == name) return at;
    }
    throw "no such bound";
  }
  std::size_t index_;
};

}  // namespace rw::ops
