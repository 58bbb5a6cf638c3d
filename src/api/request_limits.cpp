#include "api/request_limits.h"

namespace rw::api {

std::optional<int> RequestLimits::over_rate(const tenant::Domain& domain, TimePoint now) {
  if (!domain.requests_per_second) {
    domains_.erase(domain.name);
    return std::nullopt;
  }
  return domains_[domain.name].take(*domain.requests_per_second, now);
}

}  // namespace rw::api
