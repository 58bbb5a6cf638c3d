#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace rw::media {

/// What a worker counts; of its own thread.
struct Counters {
  std::uint64_t packets_sent = 0, packets_received = 0, packets_dropped = 0, rtcp_sent = 0, rtcp_received = 0;
  std::uint64_t packets_lost = 0;
  std::uint64_t late_ticks = 0;
};

/// A copy of the counters for other threads, refreshed once per slot, so that counting itself costs nothing.
class PublishedCounters {
 public:
  void publish(const Counters& counters) {
    for (std::size_t i = 0; i < fields.size(); ++i) values_[i].store(counters.*fields[i], std::memory_order_relaxed);
  }
  /// Adds what was published last to `sum`.
  void add_to(Counters& sum) const {
    for (std::size_t i = 0; i < fields.size(); ++i) sum.*fields[i] += values_[i].load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::array fields{&Counters::packets_sent, &Counters::packets_received, &Counters::packets_dropped,
                                     &Counters::rtcp_sent,    &Counters::rtcp_received,    &Counters::packets_lost,
                                     &Counters::late_ticks};
  std::array<std::atomic<std::uint64_t>, fields.size()> values_{};
};

}  // namespace rw::media
