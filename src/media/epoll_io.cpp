#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <ctime>
#include <vector>

#include "media/io.h"

namespace rw::media {
namespace {

void sleep_until(TimePoint time) {
  const auto since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch);
  timespec until{};
  until.tv_sec = static_cast<time_t>(seconds.count());
  until.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since_epoch - seconds).count());
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

class EpollIo : public Io {
 public:
  explicit EpollIo(FileDescriptor poller) : poller_(std::move(poller)) {
    for (std::size_t i = 0; i < batch; ++i) {
      vectors_[i] = {buffers_[i].data(), buffers_[i].size()};
      messages_[i].msg_hdr.msg_name = &sources_[i];
      messages_[i].msg_hdr.msg_iov = &vectors_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  SocketId add(FileDescriptor fd, std::uint64_t owner) override {
    SocketId id = 0;
    if (free_.empty()) {
      id = static_cast<SocketId>(sockets_.size());
      sockets_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = id;
    ::epoll_ctl(poller_.get(), EPOLL_CTL_ADD, fd.get(), &event);
    sockets_[id] = {std::move(fd), owner};
    return id;
  }

  void remove(SocketId socket) override {
    sockets_[socket].fd.reset();  // takes it out of the poller too
    closed_.push_back(socket);
  }

  FileDescriptor take(SocketId socket) override {
    FileDescriptor fd = std::move(sockets_[socket].fd);
    ::epoll_ctl(poller_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
    remove(socket);
    return fd;
  }

  std::span<std::uint8_t, send_capacity> packet() override { return packet_; }

  void send(SocketId socket, std::size_t length, const net::Address& to) override {
    ::sendto(sockets_[socket].fd.get(), packet_.data(), length, MSG_DONTWAIT | MSG_NOSIGNAL, to.raw(), to.length());
  }

  void serve(Receiver& receiver, TimePoint until) override {
    sleep_until(until);
    std::array<epoll_event, 256> events;
    // Level-triggered: what is left over comes with the next slot, so that one slot's work has a bound.
    for (int round = 0; round < max_rounds; ++round) {
      const int ready = ::epoll_wait(poller_.get(), events.data(), static_cast<int>(events.size()), 0);
      for (int i = 0; i < ready; ++i) receive(events[static_cast<std::size_t>(i)].data.u32, receiver);
      if (ready < static_cast<int>(events.size())) break;
    }
    for (const SocketId socket : closed_) {
      receiver.closed(sockets_[socket].owner);
      free_.push_back(socket);
    }
    closed_.clear();
  }

  bool is_io_uring() const override { return false; }

 private:
  static constexpr std::size_t batch = 4;
  static constexpr int max_rounds = 16;

  void receive(SocketId id, Receiver& receiver) {
    const Socket& socket = sockets_[id];
    if (!socket.fd) return;
    for (std::size_t i = 0; i < batch; ++i) messages_[i].msg_hdr.msg_namelen = sizeof sources_[i];
    const int count = ::recvmmsg(socket.fd.get(), messages_.data(), batch, MSG_DONTWAIT, nullptr);
    for (int n = 0; n < count; ++n) {
      const auto i = static_cast<std::size_t>(n);
      const mmsghdr& message = messages_[i];
      if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) continue;
      const net::Address from(reinterpret_cast<const sockaddr*>(&sources_[i]), message.msg_hdr.msg_namelen);
      receiver.received(socket.owner, std::span(buffers_[i]).first(message.msg_len), from);
    }
  }

  struct Socket {
    FileDescriptor fd;
    std::uint64_t owner = 0;
  };
  FileDescriptor poller_;
  std::vector<Socket> sockets_;
  std::vector<SocketId> free_, closed_;
  std::array<std::uint8_t, send_capacity> packet_{};
  std::array<std::array<std::uint8_t, receive_capacity>, batch> buffers_{};
  std::array<sockaddr_storage, batch> sources_{};
  std::array<iovec, batch> vectors_{};
  std::array<mmsghdr, batch> messages_{};
};

}  // namespace

std::unique_ptr<Io> make_epoll_io() {
  FileDescriptor poller(::epoll_create1(EPOLL_CLOEXEC));
  if (!poller) return nullptr;
  return std::make_unique<EpollIo>(std::move(poller));
}

}  // namespace rw::media
