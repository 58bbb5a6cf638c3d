#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "media/recording_tap.h"

namespace rw::recording {

/// The packets of one channel on their way from a media worker to a recorder's thread: one thread puts, one takes, and
/// neither ever waits. Fixed in size; holds at least 3 s of G.711.
class PacketRing {
 public:
  static constexpr std::size_t bytes = 64 * 1024;
  /// Longest payload; of a longer packet nothing is kept.
  static constexpr std::size_t longest_payload = 1600;

  PacketRing();
  /// Copies the packet, or counts it as dropped if there is no room.
  void put(const media::RecordedPacket& packet);
  /// The oldest packet. Its payload is valid until the next take().
  std::optional<media::RecordedPacket> take();
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Head;
  // Octets ever written and ever read. What the one thread writes is on another cache line than what the other does.
  alignas(64) std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> dropped_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
  std::uint64_t taken_ = 0;  ///< where read_ goes when the packet that was taken is no longer needed
  const std::unique_ptr<std::uint8_t[]> memory_;  // NOLINT(modernize-avoid-c-arrays)
};

}  // namespace rw::recording
