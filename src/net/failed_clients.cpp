#include "net/failed_clients.h"

namespace rw::net {

std::optional<int> FailedClients::barred(const Address& client, TimePoint now) {
  forget(now);
  if (most_ == 0 || clients_.empty()) return std::nullopt;
  const auto found = clients_.find(client.site());
  if (found == clients_.end() || found->second.count < most_) return std::nullopt;
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(found->second.since + window - now).count());
}

bool FailedClients::failed(const Address& client, TimePoint now) {
  if (most_ == 0) return false;
  forget(now);
  const auto [found, fresh] = clients_.try_emplace(client.site());
  if (fresh) {
    found->second.since = now;
    by_first_failure_.emplace_back(found->first, now);
    if (clients_.size() > most_clients) forget_oldest();
  }
  return ++found->second.count == most_;
}

void FailedClients::forget(TimePoint now) {
  while (!by_first_failure_.empty() && now >= by_first_failure_.front().second + window) forget_oldest();
}

void FailedClients::forget_oldest() {
  clients_.erase(by_first_failure_.front().first);
  by_first_failure_.pop_front();
}

}  // namespace rw::net
