#include "rtp/packet.h"

#include <cstring>

#include "rtp/wire.h"

namespace rw::rtp {

std::optional<Packet> Packet::parse(std::span<const std::uint8_t> datagram) {
  if (datagram.size() < header_bytes || datagram[0] >> 6 != 2) return std::nullopt;
  std::size_t start = header_bytes + 4U * (datagram[0] & 15U);
  if ((datagram[0] & 0x10U) != 0) {
    if (datagram.size() < start + 4) return std::nullopt;
    start += 4 + 4U * read16(&datagram[start + 2]);
  }
  std::size_t end = datagram.size();
  if (start > end) return std::nullopt;
  if ((datagram[0] & 0x20U) != 0) {
    const std::size_t padding = datagram[end - 1];
    if (padding == 0 || padding > end - start) return std::nullopt;
    end -= padding;
  }
  Packet packet;
  packet.payload_type = datagram[1] & 0x7fU;
  packet.marker = (datagram[1] & 0x80U) != 0;
  packet.sequence = read16(&datagram[2]);
  packet.timestamp = read32(&datagram[4]);
  packet.ssrc = read32(&datagram[8]);
  packet.payload = datagram.subspan(start, end - start);
  return packet;
}

std::size_t Packet::write(std::span<std::uint8_t> into) const {
  if (into.size() < header_bytes + payload.size()) return 0;
  into[0] = 0x80;
  into[1] = static_cast<std::uint8_t>(payload_type | (marker ? 0x80U : 0U));
  write16(&into[2], sequence);
  write32(&into[4], timestamp);
  write32(&into[8], ssrc);
  if (!payload.empty() && payload.data() != into.data() + header_bytes) {
    std::memcpy(into.data() + header_bytes, payload.data(), payload.size());
  }
  return header_bytes + payload.size();
}

bool is_rtcp(std::span<const std::uint8_t> datagram) {
  return datagram.size() >= 2 && datagram[1] >= 192 && datagram[1] <= 223;
}

}  // namespace rw::rtp
