// relay_floor: what the kernel alone charges for relaying RTP: a packet in, the same packet out of another socket.
//
//   relay_floor plain|uring CALLS SECONDS CALLERS_PORT CALLEES_PORT
//
// Each call has two sockets, connected to a talker on either side (rtp_talker), which begins to talk when it has heard
// of them. What comes in on one goes out of the other; by epoll, recv and send, or by io_uring, which collects for 1 ms
// as a server does that wants few system calls. Prints one JSON object with the CPU time (user + system) in ms per
// call-second.
#include <liburing.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "support.h"

namespace rw::bench {
namespace {

constexpr std::size_t packet_size = 512;

/// One system call to receive a packet and one to send it.
class PlainRelay {
 public:
  explicit PlainRelay(const std::vector<int>& legs) : legs_(legs), poller_(epoll_create1(0)) {
    for (std::size_t leg = 0; leg < legs.size(); ++leg) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = leg;
      epoll_ctl(poller_, EPOLL_CTL_ADD, legs[leg], &event);
    }
  }
  std::uint64_t run_until(std::int64_t end) {
    std::uint64_t packets = 0;
    std::array<epoll_event, 256> events;
    std::array<char, packet_size> packet;
    while (nanoseconds() < end) {
      const int count = epoll_wait(poller_, events.data(), static_cast<int>(events.size()), 10);
      for (int i = 0; i < count; ++i) {
        const std::size_t leg = events[static_cast<std::size_t>(i)].data.u64;
        const ssize_t size = recv(legs_[leg], packet.data(), packet.size(), MSG_DONTWAIT);
        if (size > 0 && send(legs_[leg ^ 1U], packet.data(), static_cast<std::size_t>(size), 0) > 0) ++packets;
      }
    }
    return packets;
  }

 private:
  const std::vector<int>& legs_;
  int poller_;
};

/// One system call for what has come and what goes out within a millisecond.
class RingRelay {
 public:
  explicit RingRelay(const std::vector<int>& legs) : buffers_(buffer_count * packet_size) {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    parameters.cq_entries = 8192;
    if (io_uring_queue_init_params(4096, &ring_, &parameters) != 0) give_up("io_uring_queue_init");
    if (io_uring_register_files(&ring_, legs.data(), static_cast<unsigned>(legs.size())) != 0)
      give_up("register files");
    constexpr std::size_t page = 4096;
    pages_.reset(static_cast<char*>(std::aligned_alloc(page, buffer_count * sizeof(io_uring_buf))));
    shared_ = reinterpret_cast<io_uring_buf_ring*>(pages_.get());
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(shared_);
    registration.ring_entries = buffer_count;
    if (io_uring_register_buf_ring(&ring_, &registration, 0) != 0) give_up("register_buf_ring");
    io_uring_buf_ring_init(shared_);
    for (unsigned i = 0; i < buffer_count; ++i) give(i, static_cast<int>(i));
    io_uring_buf_ring_advance(shared_, buffer_count);
    for (std::size_t leg = 0; leg < legs.size(); ++leg) receive_on(leg);
  }
  RingRelay(const RingRelay&) = delete;
  RingRelay& operator=(const RingRelay&) = delete;
  ~RingRelay() { io_uring_queue_exit(&ring_); }

  std::uint64_t run_until(std::int64_t end) {
    std::uint64_t packets = 0;
    for (std::int64_t deadline = nanoseconds(); deadline < end;) {
      deadline += 1'000'000;
      const std::int64_t left = std::max<std::int64_t>(deadline - nanoseconds(), 0);
      __kernel_timespec timeout{0, left};
      io_uring_cqe* first = nullptr;
      io_uring_submit_and_wait_timeout(&ring_, &first, 4096, &timeout, nullptr);
      int returned = 0;
      for (const unsigned id : sent_) give(id, returned++);
      io_uring_buf_ring_advance(shared_, returned);
      sent_.clear();
      packets += complete();
    }
    return packets;
  }

 private:
  static constexpr unsigned buffer_count = 4096;
  static constexpr std::uint64_t sending = ~std::uint64_t{0};

  char* buffer(unsigned id) { return buffers_.data() + id * packet_size; }
  void give(unsigned id, int offset) {
    io_uring_buf_ring_add(shared_, buffer(id), packet_size, static_cast<unsigned short>(id),
                          io_uring_buf_ring_mask(buffer_count), offset);
  }
  io_uring_sqe* entry() {
    io_uring_sqe* next = io_uring_get_sqe(&ring_);
    if (next != nullptr) return next;
    io_uring_submit(&ring_);
    return io_uring_get_sqe(&ring_);
  }
  void receive_on(std::size_t leg) {
    io_uring_sqe* next = entry();
    io_uring_prep_recv_multishot(next, static_cast<int>(leg), nullptr, 0, 0);
    next->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    next->buf_group = 0;
    io_uring_sqe_set_data64(next, leg);
  }
  std::uint64_t complete() {
    std::uint64_t packets = 0;
    unsigned head = 0, seen = 0;
    io_uring_cqe* completion = nullptr;
    std::vector<std::size_t> ended;
    io_uring_for_each_cqe(&ring_, head, completion) {
      ++seen;
      if (completion->user_data == sending) continue;
      const auto leg = static_cast<std::size_t>(completion->user_data);
      if ((completion->flags & IORING_CQE_F_MORE) == 0) ended.push_back(leg);
      if ((completion->flags & IORING_CQE_F_BUFFER) == 0) continue;
      const unsigned id = completion->flags >> IORING_CQE_BUFFER_SHIFT;
      io_uring_sqe* next = entry();
      io_uring_prep_send(next, static_cast<int>(leg ^ 1U), buffer(id), static_cast<std::size_t>(completion->res),
                         MSG_DONTWAIT);
      next->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
      io_uring_sqe_set_data64(next, sending);
      sent_.push_back(id);
      ++packets;
    }
    io_uring_cq_advance(&ring_, seen);
    for (const std::size_t leg : ended) receive_on(leg);
    return packets;
  }

  struct Free {
    void operator()(char* pages) const { std::free(pages); }
  };
  std::unique_ptr<char, Free> pages_;
  std::vector<char> buffers_;
  io_uring ring_{};
  io_uring_buf_ring* shared_ = nullptr;
  std::vector<unsigned> sent_;  // buffers that the next submission is done with
};

template <class Relay>
void measure(std::string_view how, const std::vector<int>& legs, double seconds) {
  Relay relay(legs);
  relay.run_until(nanoseconds() + ns_per_second);  // until the talkers are in full flow
  const std::int64_t start = nanoseconds(), cpu_start = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
  const std::uint64_t packets = relay.run_until(start + static_cast<std::int64_t>(seconds * 1e9));
  const double cpu_ms = static_cast<double>(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start) / 1e6;
  const double elapsed = static_cast<double>(nanoseconds() - start) / 1e9;
  const auto calls = static_cast<double>(legs.size()) / 2;
  std::printf(R"({"how":"%.*s","calls":%.0f,"ms_per_call_second":%.4f,"packets_of_expected":%.4f})"
              "\n",
              static_cast<int>(how.size()), how.data(), calls, cpu_ms / calls / elapsed,
              static_cast<double>(packets) / (calls * 100 * elapsed));
}

}  // namespace
}  // namespace rw::bench

int main(int argc, char** argv) {
  using namespace rw::bench;
  const std::string_view how = argc == 6 ? argv[1] : "";
  if (how != "plain" && how != "uring") {
    std::fprintf(stderr, "usage: relay_floor plain|uring CALLS SECONDS CALLERS_PORT CALLEES_PORT\n");
    return 2;
  }
  std::vector<int> legs(2 * std::strtoul(argv[2], nullptr, 10));
  std::array<char, 172> hello{};
  hello[0] = static_cast<char>(0x80);
  hello[1] = 8;
  for (std::size_t leg = 0; leg < legs.size(); ++leg) {
    legs[leg] = bound_socket(SOCK_DGRAM, 0);
    const sockaddr_in talker = loopback(static_cast<std::uint16_t>(std::strtoul(argv[4 + leg % 2], nullptr, 10)));
    if (connect(legs[leg], reinterpret_cast<const sockaddr*>(&talker), sizeof talker) != 0) give_up("connect");
  }
  for (const int leg : legs) send(leg, hello.data(), hello.size(), 0);
  const double seconds = std::strtod(argv[3], nullptr);
  how == "uring" ? measure<RingRelay>(how, legs, seconds) : measure<PlainRelay>(how, legs, seconds);
}
