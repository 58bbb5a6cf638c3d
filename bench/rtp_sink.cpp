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
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rtp_socket.h"

namespace rw::bench {
namespace {

constexpr std::int64_t resolution = 10'000;       // ns of gap per histogram bucket
constexpr std::size_t buckets = 100'000;          // 1 s; longer gaps fall into the last one
constexpr std::int64_t audible_gap = 60'000'000;  // ns: more than two packets late is heard by most listeners
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

void take(const RtpSocket::Arrival& arrival, Window& window) {
  const RtpSocket::Packet& packet = arrival.packet;
  std::uint32_t ssrc = 0;
  std::memcpy(&ssrc, &packet[8], sizeof ssrc);
  window.add(std::uint64_t{ntohs(arrival.from.sin_port)} << 32 | ssrc,
             static_cast<std::uint16_t>(packet[2] << 8 | packet[3]), arrival.at);
}

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
  RtpSocket rtp(port);
  Window window;
  for (;;) {
    std::array<pollfd, 2> sources{pollfd{rtp.handle(), POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
    poll(sources.data(), sources.size(), -1);
    if (sources[1].revents != 0 && !obey(window)) return 0;
    rtp.receive([&window](const RtpSocket::Arrival& arrival) { take(arrival, window); });
    sleep_until(nanoseconds() + 2'000'000);  // the kernel stamps the packets: collecting them late costs nothing
  }
}
