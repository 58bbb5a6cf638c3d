#include "recording/packet_ring.h"

#include <cstring>

namespace rw::recording {

/// Stands before each payload. `length` of `skip` means: go on at the start of the memory.
struct PacketRing::Head {
  media::RecordedPacket packet;
  std::uint32_t length;
};

namespace {

constexpr std::uint32_t skip = 0xFFFFFFFF;

constexpr std::size_t rounded(std::size_t size) {
  return (size + 7) & ~std::size_t{7};
}

}  // namespace

PacketRing::PacketRing() : memory_(std::make_unique<std::uint8_t[]>(bytes)) {}  // NOLINT(modernize-avoid-c-arrays)

void PacketRing::put(const media::RecordedPacket& packet) {
  static_assert(std::is_trivially_copyable_v<Head> && sizeof(Head) % 8 == 0);
  const std::size_t needed = sizeof(Head) + rounded(packet.payload.size());
  auto at = written_.load(std::memory_order_relaxed);
  const std::size_t free = bytes - (at - read_.load(std::memory_order_acquire));
  const std::size_t to_end = bytes - at % bytes;
  const std::size_t skipped = to_end < needed ? to_end : 0;
  if (packet.payload.size() > longest_payload || free < needed + skipped) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  Head head{packet, static_cast<std::uint32_t>(packet.payload.size())};
  if (skipped != 0) {
    // A head need not fit there: its absence says the same.
    if (skipped >= sizeof(Head)) {
      Head nothing{packet, skip};
      std::memcpy(memory_.get() + at % bytes, &nothing, sizeof nothing);
    }
    at += skipped;
  }
  std::uint8_t* const to = memory_.get() + at % bytes;
  std::memcpy(to, &head, sizeof head);
  if (!packet.payload.empty()) std::memcpy(to + sizeof head, packet.payload.data(), packet.payload.size());
  written_.store(at + needed, std::memory_order_release);
}

std::optional<media::RecordedPacket> PacketRing::take() {
  const auto written = written_.load(std::memory_order_acquire);
  auto at = taken_;
  if (at == written) {
    read_.store(at, std::memory_order_release);
    return std::nullopt;
  }
  const std::size_t to_end = bytes - at % bytes;
  Head head;
  if (to_end >= sizeof head) std::memcpy(&head, memory_.get() + at % bytes, sizeof head);
  if (to_end < sizeof head || head.length == skip) {
    at += to_end;
    std::memcpy(&head, memory_.get() + at % bytes, sizeof head);
  }
  read_.store(at, std::memory_order_release);
  taken_ = at + sizeof head + rounded(head.length);
  head.packet.payload = {memory_.get() + at % bytes + sizeof head, head.length};
  return head.packet;
}

}  // namespace rw::recording
