#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "media/file_descriptor.h"
#include "net/address.h"
#include "rtp/packet.h"

namespace rw::media::test {

/// Longest wait for something that is expected to come at once; only a failing test waits as long.
inline constexpr std::chrono::seconds patience{10};

struct Datagram {
  std::vector<std::uint8_t> bytes;
  net::Address from;
  TimePoint at;

  rtp::Packet rtp() const { return rtp::Packet::parse(bytes).value_or(rtp::Packet{}); }
};

/// The other side of a leg: a loopback socket.
class Peer {
 public:
  explicit Peer(const char* host = "127.0.0.1") : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const net::Address any = *net::Address::from(host, 0);
    if (::bind(fd_.get(), any.raw(), any.length()) != 0) fd_.reset();
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    address_ = net::Address(reinterpret_cast<const sockaddr*>(&bound), length);
  }

  const net::Address& address() const { return address_; }

  void send(std::span<const std::uint8_t> bytes, const net::Address& to) {
    ::sendto(fd_.get(), bytes.data(), bytes.size(), 0, to.raw(), to.length());
  }

  /// One RTP packet; the sequence number grows by one with each, the timestamp by 160.
  void send_rtp(const net::Address& to, std::uint8_t payload_type, std::span<const std::uint8_t> payload) {
    send_rtp(to, payload_type, payload, timestamp_);
    timestamp_ += 160;
  }
  void send_rtp(const net::Address& to, std::uint8_t payload_type, std::span<const std::uint8_t> payload,
                std::uint32_t timestamp) {
    rtp::Packet packet;
    packet.payload_type = payload_type;
    packet.sequence = sequence_++;
    packet.timestamp = timestamp;
    packet.ssrc = 0x1234;
    packet.payload = payload;
    std::array<std::uint8_t, 1500> bytes;
    send(std::span(bytes).first(packet.write(bytes)), to);
  }
  void lose(std::uint16_t packets) { sequence_ = static_cast<std::uint16_t>(sequence_ + packets); }

  std::optional<Datagram> receive(std::chrono::milliseconds wait = patience) {
    pollfd poller{fd_.get(), POLLIN, 0};
    if (::poll(&poller, 1, static_cast<int>(wait.count())) <= 0) return std::nullopt;
    std::array<std::uint8_t, 2048> bytes;
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const ssize_t size =
        ::recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0) return std::nullopt;
    return Datagram{{bytes.begin(), bytes.begin() + size},
                    net::Address(reinterpret_cast<const sockaddr*>(&from), length),
                    Clock::now()};
  }
  /// The next `count` datagrams, or fewer if nothing comes any more.
  std::vector<Datagram> receive_many(std::size_t count) {
    std::vector<Datagram> all;
    while (all.size() < count) {
      std::optional<Datagram> one = receive();
      if (!one) break;
      all.push_back(std::move(*one));
    }
    return all;
  }
  /// Receives until a datagram that `wanted` accepts.
  std::optional<Datagram> receive_until(const std::function<bool(const Datagram&)>& wanted) {
    const TimePoint end = Clock::now() + patience;
    while (Clock::now() < end) {
      std::optional<Datagram> one = receive();
      if (!one || wanted(*one)) return one;
    }
    return std::nullopt;
  }

 private:
  FileDescriptor fd_;
  net::Address address_;
  std::uint16_t sequence_ = 100;
  std::uint32_t timestamp_ = 5000;
};

}  // namespace rw::media::test
