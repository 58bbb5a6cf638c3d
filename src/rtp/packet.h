#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

/// RTP packets (RFC 3550 section 5.1):
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
///   |                           timestamp                           |
///   |                              SSRC                             |
///   |                    CSRC (CC times), extension (X), payload    |
namespace rw::rtp {

inline constexpr std::size_t header_bytes = 12;

/// A view into a datagram; valid as long as that is.
struct Packet {
  std::uint8_t payload_type = 0;
  bool marker = false;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  std::span<const std::uint8_t> payload;  ///< without padding

  /// Nothing if `datagram` is not an RTP packet of version 2 whose parts fit into it.
  static std::optional<Packet> parse(std::span<const std::uint8_t> datagram);
  /// Writes the header and returns the packet's length; 0 if it does not fit into `into`. The payload may already be in
  /// its place, header_bytes behind the start.
  std::size_t write(std::span<std::uint8_t> into) const;
};

/// Whether a datagram on a port shared by RTP and RTCP is RTCP (RFC 5761 section 4).
bool is_rtcp(std::span<const std::uint8_t> datagram);

}  // namespace rw::rtp
