// rtp_sink: receives the RTP of all legs on one UDP socket and measures its regularity by the kernel's time stamps.
//
//   rtp_sink PORT        RTP on PORT; RTCP on PORT + 1 is accepted and dropped
//
// Obeys lines on standard input: "reset" begins a new window, "report" prints the window as one line of JSON; the end
// of the input ends the program. A stream is one source port and SSRC; a gap is the time between two packets of it.
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "support.h"

namespace rw::bench {
namespace {

constexpr std::int64_t resolution = 10'000;       // ns of gap per histogram bucket
constexpr std::size_t buckets = 100'000;          // 1 s; longer gaps fall into the last one
constexpr std::int64_t audible_gap = 60'000'000;  // ns: more than two packets late is heard by most listeners
constexpr std::size_t batch = 256;
constexpr std::size_t most_streams = 100'000;

struct Stream {
  std::int64_t last_arrival = 0;
  std::uint64_t packets = 0;
  std::int64_t lost = 0;
  std::uint16_t last_sequence = 0;
  bool audible = false;  // had a gap above audible_gap
};

/// What one measuring window has seen.
class Window {
 public:
  Window() : histogram_(buckets) {}

  void add(std::uint64_t key, std::uint16_t sequence, std::int64_t arrival) {
    if (streams_.size() >= most_streams && !streams_.contains(key)) return;
    Stream& stream = streams_[key];
    if (stream.packets++ > 0) {
      const std::int64_t gap = std::max<std::int64_t>(arrival - stream.last_arrival, 0);
      ++histogram_[std::min(static_cast<std::size_t>(gap / resolution), buckets - 1)];
      ++gaps_;
      longest_ = std::max(longest_, gap);
      stream.audible = stream.audible || gap > audible_gap;
      stream.lost += static_cast<std::int16_t>(static_cast<std::uint16_t>(sequence - stream.last_sequence)) - 1;
    }
    stream.last_sequence = sequence;
    stream.last_arrival = arrival;
    ++packets_;
  }

  /// A stream that stopped inside the window is a gap too: `now` closes them.
  void print(std::int64_t now) const {
    std::int64_t lost = 0;
    std::size_t audible = 0;
    std::int64_t longest = longest_;
    for (const auto& [key, stream] : streams_) {
      const std::int64_t open = now - stream.last_arrival;
      lost += stream.lost;
      audible += stream.audible || open > audible_gap ? 1 : 0;
      longest = std::max(longest, open);
    }
    std::printf(R"({"streams":%zu,"packets":%llu,"lost":%lld,"gap_ms":{"p50":%.2f,"p99":%.2f,"p999":%.2f,"max":%.2f},)"
                R"("streams_over_60ms":%zu})"
                "\n",
                streams_.size(), static_cast<unsigned long long>(packets_), static_cast<long long>(lost),
                percentile(0.5), percentile(0.99), percentile(0.999), static_cast<double>(longest) / 1e6, audible);
    std::fflush(stdout);
  }

 private:
  /// In milliseconds, rounded up to the histogram's resolution.
  double percentile(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(gaps_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < histogram_.size(); ++i) {
      seen += histogram_[i];
      if (seen > rank) return static_cast<double>(static_cast<std::int64_t>(i + 1) * resolution) / 1e6;
    }
    return 0;
  }

  std::unordered_map<std::uint64_t, Stream> streams_;
  std::vector<std::uint64_t> histogram_;
  std::uint64_t gaps_ = 0;
  std::uint64_t packets_ = 0;
  std::int64_t longest_ = 0;
};

/// Receives in batches into memory that is laid out once.
class Receiver {
 public:
  explicit Receiver(int handle) : handle_(handle), packets_(batch), controls_(batch) {}

  /// Takes what has arrived, at most one batch; false if there was less than that.
  bool receive(Window& window) {
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
    const int count = recvmmsg(handle_, messages.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<std::size_t>(i);
      take(messages[index], ntohs(sources[index].sin_port), packets_[index], window);
    }
    return count == static_cast<int>(batch);
  }

 private:
  using Packet = std::array<std::uint8_t, 256>;

  static void take(mmsghdr& message, std::uint16_t source, const Packet& packet, Window& window) {
    const bool rtp = message.msg_len >= 12 && packet[0] >> 6 == 2;
    const bool rtcp = packet[1] >= 192 && packet[1] <= 223;  // RFC 5761, section 4
    const std::optional<std::int64_t> arrival = arrival_of(message.msg_hdr);
    if (!rtp || rtcp || !arrival) return;
    std::uint32_t ssrc = 0;
    std::memcpy(&ssrc, &packet[8], sizeof ssrc);
    window.add(std::uint64_t{source} << 32 | ssrc, static_cast<std::uint16_t>(packet[2] << 8 | packet[3]), *arrival);
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

/// Carries out the commands that have arrived; false at the end of the input.
bool obey(Window& window) {
  std::array<char, 256> buffer{};
  const ssize_t size = read(STDIN_FILENO, buffer.data(), buffer.size());
  if (size <= 0) return false;
  const std::string_view commands(buffer.data(), static_cast<std::size_t>(size));
  if (commands.find("report") != commands.npos) window.print(nanoseconds(CLOCK_REALTIME));
  if (commands.find("reset") != commands.npos) window = Window();
  return true;
}

}  // namespace
}  // namespace rw::bench

int main(int argc, char** argv) {
  using namespace rw::bench;
  if (argc != 2) {
    std::fprintf(stderr, "usage: rtp_sink PORT\n");
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10));
  const int rtp = bound_socket(SOCK_DGRAM, port);
  bound_socket(SOCK_DGRAM, static_cast<std::uint16_t>(port + 1));  // never read: it only keeps ICMP errors away
  widen_receive_buffer(rtp, 32 << 20);
  const int on = 1;
  setsockopt(rtp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  Receiver receiver(rtp);
  Window window;
  for (;;) {
    std::array<pollfd, 2> sources{pollfd{rtp, POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
    poll(sources.data(), sources.size(), -1);
    if (sources[1].revents != 0 && !obey(window)) return 0;
    while (receiver.receive(window)) {
    }
    sleep_until(nanoseconds() + 2'000'000);  // the kernel stamps the packets: collecting them late costs nothing
  }
}
