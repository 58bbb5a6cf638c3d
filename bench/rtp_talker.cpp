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
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rtp_socket.h"

namespace rw::bench {
namespace {

constexpr std::int64_t slot_length = 1'000'000;  // ns
constexpr std::size_t slots = 20;
constexpr std::size_t header_size = 12;
constexpr std::size_t samples = 160;
constexpr std::int64_t resolution = 10'000;  // ns of delay per histogram bucket
constexpr std::size_t buckets = 100'000;
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
  Talker(std::uint16_t port, Format format) : rtp_(port), format_(std::move(format)) {}

  void talk(std::size_t slot) {
    for (std::size_t at = slot; at < streams_.size(); at += slots) say(streams_[at]);
    flush();
  }

  void listen(Window& window) {
    rtp_.receive([&](const RtpSocket::Arrival& arrival) { take(arrival, window); });
  }
  std::size_t streams() const { return streams_.size(); }

 private:
  static constexpr std::size_t batch = RtpSocket::batch;
  using Packet = RtpSocket::Packet;

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
    if (queued_ != 0) sendmmsg(rtp_.handle(), messages.data(), static_cast<unsigned>(queued_), 0);
    queued_ = 0;
  }

  void take(const RtpSocket::Arrival& arrival, Window& window) {
    if (by_port_.emplace(arrival.from.sin_port, streams_.size()).second) streams_.push_back({arrival.from, 0, 0});
    window.heard();
    std::uint32_t mark = 0;
    std::int64_t sent = 0;
    if (arrival.size < header_size + sizeof mark + sizeof sent) return;
    std::memcpy(&mark, &arrival.packet[header_size], sizeof mark);
    std::memcpy(&sent, &arrival.packet[header_size + sizeof mark], sizeof sent);
    if (mark == magic) window.delayed(arrival.at - sent);
  }

  RtpSocket rtp_;
  Format format_;
  std::vector<Stream> streams_;
  std::unordered_map<std::uint16_t, std::size_t> by_port_;
  std::array<Packet, batch> outgoing_{};
  std::array<iovec, batch> vectors_{};
  std::array<sockaddr_in, batch> targets_{};
  std::size_t queued_ = 0;
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
  Talker talker(port, format_named(argv[2]));
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
