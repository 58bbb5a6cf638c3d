#include "recording/packet_ring.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace rw::recording {
namespace {

media::RecordedPacket packet(std::uint16_t sequence, std::span<const std::uint8_t> payload) {
  media::RecordedPacket packet;
  packet.sequence = sequence;
  packet.payload = payload;
  return packet;
}

TEST(PacketRingTest, GivesEveryPacketOnceAndInOrderWhileOthersCome) {
  PacketRing ring;
  constexpr unsigned count = 50'000;
  std::thread producer([&] {
    std::vector<std::uint8_t> payload;
    for (unsigned number = 0; number < count; ++number) {
      payload.assign(number * 7 % (PacketRing::longest_payload + 1), static_cast<std::uint8_t>(number));
      for (auto before = ring.dropped(); ring.put(packet(static_cast<std::uint16_t>(number), payload)), true;) {
        if (ring.dropped() == before) break;
        before = ring.dropped();
        std::this_thread::yield();
      }
    }
  });
  unsigned wrong = 0;
  for (unsigned number = 0; number < count;) {
    const auto taken = ring.take();
    if (!taken) {
      std::this_thread::yield();
      continue;
    }
    wrong += taken->sequence != static_cast<std::uint16_t>(number) ? 1U : 0U;
    wrong += taken->payload.size() != number * 7 % (PacketRing::longest_payload + 1) ? 1U : 0U;
    for (const auto octet : taken->payload) wrong += octet != static_cast<std::uint8_t>(number) ? 1U : 0U;
    ++number;
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_FALSE(ring.take());
}

TEST(PacketRingTest, CountsWhatItCannotHold) {
  PacketRing ring;
  const std::vector<std::uint8_t> payload(160), huge(PacketRing::longest_payload + 1);
  ring.put(packet(0, huge));
  EXPECT_EQ(ring.dropped(), 1U);
  unsigned held = 0;
  for (; ring.dropped() == 1; ++held) ring.put(packet(1, payload));
  EXPECT_GT(held, 150U) << "less than three seconds";
}

}  // namespace
}  // namespace rw::recording
