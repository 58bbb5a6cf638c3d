#include "api/request_limits.h"

#include <chrono>

namespace rw::api {

std::optional<int> RequestLimits::over_rate(const tenant::Domain& domain, TimePoint now) {
  if (!domain.requests_per_second) {
    domains_.erase(domain.name);
    return std::nullopt;
  }
  return domains_[domain.name].take(*domain.requests_per_second, now);
}

std::optional<int> RequestLimits::barred(const net::Address& client, TimePoint now) {
  forget(now);
  if (most_failures_ == 0 || clients_.empty()) return std::nullopt;
  const auto found = clients_.find(client.site());
  if (found == clients_.end() || found->second.count < most_failures_) return std::nullopt;
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(found->second.since + window - now).count());
}

bool RequestLimits::failed(const net::Address& client, TimePoint now) {
  if (most_failures_ == 0) return false;
  forget(now);
  const auto [found, fresh] = clients_.try_emplace(client.site());
  if (fresh) {
    found->second.since = now;
    by_first_failure_.emplace_back(found->first, now);
    if (clients_.size() > most_clients) forget_oldest();
  }
  return ++found->second.count == most_failures_;
}

void RequestLimits::forget(TimePoint now) {
  while (!by_first_failure_.empty() && now >= by_first_failure_.front().second + window) forget_oldest();
}

void RequestLimits::forget_oldest() {
  clients_.erase(by_first_failure_.front().first);
  by_first_failure_.pop_front();
}

}  // namespace rw::api
