// The RTP socket of a load tool: receives in batches, each packet with the kernel's time stamp.
#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "support.h"

namespace rw::bench {

class RtpSocket {
 public:
  static constexpr std::size_t batch = 256;
  using Packet = std::array<std::uint8_t, 512>;
  struct Arrival {
    const Packet& packet;
    std::size_t size;
    sockaddr_in from;
    std::int64_t at;  ///< CLOCK_REALTIME, ns
  };

  /// Binds `port`, and the one after it, which is never read: it only keeps ICMP errors away.
  explicit RtpSocket(std::uint16_t port) : handle_(bound_socket(SOCK_DGRAM, port)), packets_(batch), controls_(batch) {
    bound_socket(SOCK_DGRAM, static_cast<std::uint16_t>(port + 1));
    widen_receive_buffer(handle_, 32 << 20);
    const int on = 1;
    setsockopt(handle_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  }
  int handle() const { return handle_; }

  /// Hands all RTP that has arrived to `take`; RTCP (RFC 5761, section 4) and what is neither are dropped.
  template <class Take>
  void receive(Take&& take) {
    while (receive_batch(take) == batch) {
    }
  }

 private:
  static constexpr std::size_t header_size = 12;

  template <class Take>
  std::size_t receive_batch(Take&& take) {
    std::array<mmsghdr, batch> messages{};
    std::array<iovec, batch> vectors{};
    std::array<sockaddr_in, batch> sources{};
    for (std::size_t i = 0; i < batch; ++i) {
      vectors[i] = {packets_[i].data(), packets_[i].size()};
      msghdr& header = messages[i].msg_hdr;
      header.msg_name = &sources[i];
      header.msg_namelen = sizeof sources[i];
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      header.msg_control = controls_[i].data();
      header.msg_controllen = controls_[i].size();
    }
    const int received = recvmmsg(handle_, messages.data(), batch, MSG_DONTWAIT, nullptr);
    const std::size_t count = received < 0 ? 0 : static_cast<std::size_t>(received);
    for (std::size_t i = 0; i < count; ++i) {
      const Packet& packet = packets_[i];
      const bool rtp = messages[i].msg_len >= header_size && packet[0] >> 6 == 2;
      const bool rtcp = packet[1] >= 192 && packet[1] <= 223;
      const std::optional<std::int64_t> at = arrival_of(messages[i].msg_hdr);
      if (rtp && !rtcp && at) take(Arrival{packet, messages[i].msg_len, sources[i], *at});
    }
    return count;
  }

  static std::optional<std::int64_t> arrival_of(msghdr& header) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
      if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec time{};
      std::memcpy(&time, CMSG_DATA(control), sizeof time);
      return time.tv_sec * ns_per_second + time.tv_nsec;
    }
    return std::nullopt;
  }

  int handle_;
  std::vector<Packet> packets_;
  std::vector<std::array<char, 64>> controls_;
};

}  // namespace rw::bench
