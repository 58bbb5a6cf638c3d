#include "media/port_pool.h"

#include <algorithm>
#include <random>

namespace rw::media {

PortPool::PortPool(std::uint16_t first, std::uint16_t last, Duration rest, std::uint64_t seed) : rest_(rest) {
  for (unsigned port = first + (first & 1U); port + 1 <= last; port += 2)
    if (port != 0) free_.push_back(static_cast<std::uint16_t>(port));
  std::mt19937_64 random(seed);
  std::ranges::shuffle(free_, random);
  size_ = free_.size();
}

std::optional<std::uint16_t> PortPool::take(TimePoint now) {
  // Never used ones first: the others rest the longer.
  if (!free_.empty()) {
    const std::uint16_t port = free_.front();
    free_.pop_front();
    return port;
  }
  if (resting_.empty() || resting_.front().until > now) return std::nullopt;
  const std::uint16_t port = resting_.front().port;
  resting_.pop_front();
  return port;
}

void PortPool::give_back(std::uint16_t port, TimePoint now) {
  resting_.push_back({port, now + rest_});
}

std::size_t PortPool::resting(TimePoint now) const {
  const auto rested = std::ranges::partition_point(resting_, [&](const Resting& entry) { return entry.until <= now; });
  return static_cast<std::size_t>(resting_.end() - rested);
}

}  // namespace rw::media
