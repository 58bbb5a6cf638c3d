// floor: what the kernel alone charges for sending RTP, the least that any media server on this machine can cost.
//
//   floor sendto|uring LEGS SECONDS PORT
//
// Each leg sends one 172-byte packet (RTP header and 20 ms of G.711) every 20 ms from its own connected socket to
// 127.0.0.1:PORT; the legs are spread over twenty slots of 1 ms. On loopback the sender pays for the delivery too, so
// the receiver should be the one that the server is measured with. Prints one JSON object with the CPU time (user +
// system) in milliseconds per leg-second.
#include <liburing.h>

#include <array>
#include <string_view>
#include <vector>

#include "support.h"

namespace rw::bench {
namespace {

constexpr std::size_t packet_size = 172;
constexpr std::size_t slots = 20;
constexpr std::int64_t slot_length = 1'000'000;  // ns
constexpr unsigned ring_entries = 4096;

using Packet = std::array<char, packet_size>;

/// Sends by one system call for each packet.
class PlainSender {
 public:
  explicit PlainSender(const std::vector<int>& legs) : legs_(legs) {}
  void queue(std::size_t leg, const Packet& packet) { send(legs_[leg], packet.data(), packet.size(), 0); }
  void flush() {}

 private:
  const std::vector<int>& legs_;
};

/// Sends a slot's packets by one system call, over registered sockets and without a completion for each success.
class RingSender {
 public:
  explicit RingSender(const std::vector<int>& legs) {
    const unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    if (io_uring_queue_init(ring_entries, &ring_, flags) != 0) give_up("io_uring_queue_init");
    if (io_uring_register_files(&ring_, legs.data(), static_cast<unsigned>(legs.size())) != 0)
      give_up("register files");
  }
  RingSender(const RingSender&) = delete;
  RingSender& operator=(const RingSender&) = delete;
  ~RingSender() { io_uring_queue_exit(&ring_); }

  void queue(std::size_t leg, const Packet& packet) {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
      flush();
      entry = io_uring_get_sqe(&ring_);
    }
    io_uring_prep_send(entry, static_cast<int>(leg), packet.data(), packet.size(), 0);
    entry->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
  }
  void flush() {
    io_uring_submit_and_get_events(&ring_);
    io_uring_cq_advance(&ring_, io_uring_cq_ready(&ring_));
  }

 private:
  io_uring ring_{};
};

template <class Sender>
void measure(std::string_view how, const std::vector<int>& legs, double seconds) {
  Sender sender(legs);
  Packet packet;
  packet.fill(static_cast<char>(0xd5));  // A-law silence
  std::int64_t packets = 0;
  const std::int64_t start = nanoseconds();
  const std::int64_t cpu_start = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
  const auto ticks = static_cast<std::int64_t>(seconds * 1000);
  for (std::int64_t tick = 0; tick < ticks; ++tick) {
    for (std::size_t leg = static_cast<std::size_t>(tick) % slots; leg < legs.size(); leg += slots) {
      sender.queue(leg, packet);
      ++packets;
    }
    sender.flush();
    sleep_until(start + (tick + 1) * slot_length);
  }
  const double cpu_ms = static_cast<double>(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start) / 1e6;
  const double elapsed = static_cast<double>(nanoseconds() - start) / 1e9;
  const double expected = static_cast<double>(legs.size()) * 50 * elapsed;
  std::printf(R"({"how":"%.*s","legs":%zu,"ms_per_leg_second":%.4f,"us_per_packet":%.3f,"sent_in_time":%.4f})"
              "\n",
              static_cast<int>(how.size()), how.data(), legs.size(),
              cpu_ms / static_cast<double>(legs.size()) / elapsed, cpu_ms * 1000 / static_cast<double>(packets),
              static_cast<double>(packets) / expected);
}

}  // namespace
}  // namespace rw::bench

int main(int argc, char** argv) {
  using namespace rw::bench;
  const std::string_view how = argc == 5 ? argv[1] : "";
  if (how != "sendto" && how != "uring") {
    std::fprintf(stderr, "usage: floor sendto|uring LEGS SECONDS PORT\n");
    return 2;
  }
  sockaddr_in sink{};
  sink.sin_family = AF_INET;
  sink.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sink.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(argv[4], nullptr, 10)));
  std::vector<int> legs(std::strtoul(argv[2], nullptr, 10));
  for (int& leg : legs) {
    leg = bound_socket(SOCK_DGRAM, 0);
    if (connect(leg, reinterpret_cast<const sockaddr*>(&sink), sizeof sink) != 0) give_up("connect");
  }
  const double seconds = std::strtod(argv[3], nullptr);
  how == "uring" ? measure<RingSender>(how, legs, seconds) : measure<PlainSender>(how, legs, seconds);
}
