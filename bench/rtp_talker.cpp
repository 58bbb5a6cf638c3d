// rtp_talker: the phones' side of relayed calls, all on one UDP socket. It talks to every port that has sent it RTP,
// one packet each 20 ms, and measures how long what it hears was on its way.
//
//   rtp_talker PORT PCMA|PCMU|opus     RTP on PORT; RTCP on PORT + 1 is accepted and dropped
//
// G.711 packets carry the time when they were sent, which survives a relay that converts nothing: the delay is from
// that to the kernel's time stamp at the receiving talker. Obeys lines on standard input: "reset" begins a new window,
// "report" prints the window as one line of JSON; the end of the input ends the program.
#include <opus.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "support.h"

namespace rw::bench {
namespace {

constexpr std::int64_t slot_length = 1'000'000;  // ns
constexpr std::size_t slots = 20;
constexpr std::size_t header_size = 12;
constexpr std::size_t samples = 160;
constexpr std::int64_t resolution = 10'000;  // ns of delay per histogram bucket
constexpr std::size_t buckets = 100'000;
constexpr std::size_t batch = 256;
constexpr std::uint32_t magic = 0x52574454;

struct Format {
  std::uint8_t payload_type = 8;
  std::uint32_t clock = 160;  // RTP time of 20 ms
  std::vector<std::uint8_t> payload;
  bool stamped = true;
};

/// 20 ms of a tone as linear samples, so that no decoder gets it cheaper than speech.
std::array<std::int16_t, samples> tone() {
  std::array<std::int16_t, samples> all{};
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<std::int16_t>(8000 * std::sin(0.31 * static_cast<double>(i)));
  return all;
}

Format format_named(std::string_view name) {
  Format format;
  if (name == "opus") {
    format = {96, 960, std::vector<std::uint8_t>(400), false};
    int error = 0;
    OpusEncoder* encoder = opus_encoder_create(8000, 1, OPUS_APPLICATION_VOIP, &error);
    const auto frame = tone();
    const int size = opus_encode(encoder, frame.data(), samples, format.payload.data(), 400);
    opus_encoder_destroy(encoder);
    format.payload.resize(static_cast<std::size_t>(std::max(size, 1)));
    return format;
  }
  format.payload_type = name == "PCMU" ? 0 : 8;
  for (std::size_t i = 0; i < samples; ++i) format.payload.push_back(static_cast<std::uint8_t>(i * 37));
  return format;
}

struct Stream {
  sockaddr_in to{};
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
};

class Window {
 public:
  Window() : delays_(buckets) {}
  void heard() { ++packets_; }
  void delayed(std::int64_t by) {
    const std::int64_t delay = std::max<std::int64_t>(by, 0);
    ++delays_[std::min(static_cast<std::size_t>(delay / resolution), buckets - 1)];
    longest_ = std::max(longest_, delay);
    ++stamped_;
  }
  void print(std::size_t streams) const {
    std::printf(R"({"streams":%zu,"packets":%llu,"stamped":%llu,"delay_ms":{"p50":%.2f,"p99":%.2f,"max":%.2f}})"
                "\n",
                streams, static_cast<unsigned long long>(packets_), static_cast<unsigned long long>(stamped_),
                percentile(0.5), percentile(0.99), static_cast<double>(longest_) / 1e6);
    std::fflush(stdout);
  }

 private:
  double percentile(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(stamped_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < delays_.size(); ++i) {
      seen += delays_[i];
      if (seen > rank) return static_cast<double>(static_cast<std::int64_t>(i + 1) * resolution) / 1e6;
    }
    return 0;
  }
  std::vector<std::uint64_t> delays_;
  std::uint64_t packets_ = 0, stamped_ = 0;
  std::int64_t longest_ = 0;
};

class Talker {
 public:
  Talker(int handle, Format format) : handle_(handle), format_(std::move(format)), incoming_(batch), controls_(batch) {}

  void talk(std::size_t slot) {
    for (std::size_t at = slot; at < streams_.size(); at += slots) say(streams_[at]);
    flush();
  }

  void listen(Window& window) {
    while (receive(window) == batch) {
    }
  }
  std::size_t streams() const { return streams_.size(); }

 private:
  using Packet = std::array<std::uint8_t, 512>;

  void say(Stream& stream) {
    if (queued_ == batch) flush();
    Packet& packet = outgoing_[queued_];
    packet[0] = 0x80;
    packet[1] = format_.payload_type;
    packet[2] = static_cast<std::uint8_t>(stream.sequence >> 8);
    packet[3] = static_cast<std::uint8_t>(stream.sequence++);
    const std::uint32_t timestamp = htonl(stream.timestamp);
    stream.timestamp += format_.clock;
    std::memcpy(&packet[4], &timestamp, 4);
    const std::uint32_t ssrc = stream.to.sin_port;
    std::memcpy(&packet[8], &ssrc, 4);
    std::memcpy(&packet[header_size], format_.payload.data(), format_.payload.size());
    if (format_.stamped) {
      const std::int64_t now = nanoseconds(CLOCK_REALTIME);
      std::memcpy(&packet[header_size], &magic, sizeof magic);
      std::memcpy(&packet[header_size + sizeof magic], &now, sizeof now);
    }
    vectors_[queued_] = {packet.data(), header_size + format_.payload.size()};
    targets_[queued_++] = stream.to;
  }

  void flush() {
    std::array<mmsghdr, batch> messages{};
    for (std::size_t i = 0; i < queued_; ++i) {
      messages[i].msg_hdr.msg_name = &targets_[i];
      messages[i].msg_hdr.msg_namelen = sizeof targets_[i];
      messages[i].msg_hdr.msg_iov = &vectors_[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    if (queued_ != 0) sendmmsg(handle_, messages.data(), static_cast<unsigned>(queued_), 0);
    queued_ = 0;
  }

  std::size_t receive(Window& window) {
    std::array<mmsghdr, batch> messages{};
    std::array<iovec, batch> vectors{};
    std::array<sockaddr_in, batch> sources{};
    for (std::size_t i = 0; i < batch; ++i) {
      vectors[i] = {incoming_[i].data(), incoming_[i].size()};
      messages[i].msg_hdr.msg_name = &sources[i];
      messages[i].msg_hdr.msg_namelen = sizeof sources[i];
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = controls_[i].data();
      messages[i].msg_hdr.msg_controllen = controls_[i].size();
    }
    const int count = recvmmsg(handle_, messages.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      take(messages[at], sources[at], incoming_[at], window);
    }
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  void take(mmsghdr& message, const sockaddr_in& source, const Packet& packet, Window& window) {
    if (message.msg_len < header_size || packet[0] >> 6 != 2) return;
    if (by_port_.emplace(source.sin_port, streams_.size()).second) streams_.push_back({source, 0, 0});
    window.heard();
    std::uint32_t mark = 0;
    std::int64_t sent = 0;
    if (message.msg_len < header_size + sizeof mark + sizeof sent) return;
    std::memcpy(&mark, &packet[header_size], sizeof mark);
    std::memcpy(&sent, &packet[header_size + sizeof mark], sizeof sent);
    if (mark != magic) return;
    for (cmsghdr* control = CMSG_FIRSTHDR(&message.msg_hdr); control != nullptr;
         control = CMSG_NXTHDR(&message.msg_hdr, control)) {
      if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec time{};
      std::memcpy(&time, CMSG_DATA(control), sizeof time);
      window.delayed(time.tv_sec * ns_per_second + time.tv_nsec - sent);
    }
  }

  int handle_;
  Format format_;
  std::vector<Stream> streams_;
  std::unordered_map<std::uint16_t, std::size_t> by_port_;
  std::array<Packet, batch> outgoing_{};
  std::array<iovec, batch> vectors_{};
  std::array<sockaddr_in, batch> targets_{};
  std::size_t queued_ = 0;
  std::vector<Packet> incoming_;
  std::vector<std::array<char, 64>> controls_;
};

}  // namespace
}  // namespace rw::bench

int main(int argc, char** argv) {
  using namespace rw::bench;
  if (argc != 3) {
    std::fprintf(stderr, "usage: rtp_talker PORT PCMA|PCMU|opus\n");
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10));
  const int rtp = bound_socket(SOCK_DGRAM, port);
  bound_socket(SOCK_DGRAM, static_cast<std::uint16_t>(port + 1));  // never read: it only keeps ICMP errors away
  widen_receive_buffer(rtp, 32 << 20);
  const int on = 1;
  setsockopt(rtp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  Talker talker(rtp, format_named(argv[2]));
  Window window;
  const std::int64_t start = nanoseconds();
  for (std::int64_t tick = 0;; ++tick) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, 0) == 1) {
      std::array<char, 256> buffer{};
      const ssize_t size = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (size <= 0) return 0;
      const std::string_view commands(buffer.data(), static_cast<std::size_t>(size));
      if (commands.find("report") != commands.npos) window.print(talker.streams());
      if (commands.find("reset") != commands.npos) window = Window();
    }
    talker.talk(static_cast<std::size_t>(tick) % slots);
    if (tick % 2 == 0) talker.listen(window);  // the kernel stamps the packets: collecting them late costs nothing
    sleep_until(start + (tick + 1) * slot_length);
  }
}
