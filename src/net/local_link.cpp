#include "net/local_link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace rw::net {
namespace {

constexpr std::size_t most_descriptors = 200;  ///< in a packet; the kernel takes 253

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(path + ": the path is too long for a socket");
  std::memcpy(static_cast<char*>(address.sun_path), path.c_str(), path.size() + 1);
  return address;
}

Result<int> socket_at(const std::string& path, int (*use)(int, const sockaddr*, socklen_t)) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  const int descriptor = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return fail(path + ": " + std::strerror(errno));
  if (use(descriptor, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0) return descriptor;
  const std::string problem = std::strerror(errno);
  ::close(descriptor);
  return fail(path + ": " + problem);
}

void close_all(std::vector<int>& descriptors) {
  for (const int one : descriptors) ::close(one);
  descriptors.clear();
}

/// What sendmsg() says.
ssize_t send_now(int socket, const LocalPacket& packet) {
  iovec part{const_cast<char*>(packet.bytes.data()), packet.bytes.size()};  // NOLINT: sendmsg doesn't write to it
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const auto count = std::min(packet.descriptors.size(), most_descriptors);
  if (count > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(header), packet.descriptors.data(), count * sizeof(int));
  }
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// What recvmsg() says; 0: the other end has gone.
ssize_t receive_now(int socket, LocalPacket& into) {
  into.bytes.resize(LocalLink::most_bytes);
  iovec part{into.bytes.data(), into.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  into.bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) return got;
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    into.descriptors.resize(count);
    std::memcpy(into.descriptors.data(), CMSG_DATA(header), count * sizeof(int));
  }
  return got;
}

Result<void> wait_for(int descriptor, short event, std::chrono::milliseconds patience) {
  pollfd one{descriptor, event, 0};
  const int ready = ::poll(&one, 1, static_cast<int>(patience.count()));
  if (ready > 0) return {};
  return fail(ready == 0 ? "no answer" : std::strerror(errno));
}

}  // namespace

Result<int> connect_local(const std::string& path) {
  return socket_at(path, ::connect);
}

Result<int> listen_local(const std::string& path) {
  ::unlink(path.c_str());
  const auto before = ::umask(0077);
  auto made = socket_at(path, ::bind);
  ::umask(before);
  if (made && ::listen(*made, 4) != 0) {
    ::close(*made);
    return fail(path + ": " + std::strerror(errno));
  }
  return made;
}

Result<void> send_local(int descriptor, const LocalPacket& packet) {
  constexpr auto patience = std::chrono::seconds(5);
  if (auto ready = wait_for(descriptor, POLLOUT, patience); !ready) return ready;
  if (send_now(descriptor, packet) < 0) return fail(std::strerror(errno));
  return {};
}

Result<LocalPacket> receive_local(int descriptor, std::chrono::milliseconds patience) {
  if (auto ready = wait_for(descriptor, POLLIN, patience); !ready) return tl::unexpected(ready.error());
  LocalPacket packet;
  const auto got = receive_now(descriptor, packet);
  if (got > 0) return packet;
  return fail(got == 0 ? "the connection was closed" : std::strerror(errno));
}

LocalLink::LocalLink(boost::asio::io_context& loop, int descriptor) : socket_(loop, descriptor) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

void LocalLink::start(Handlers handlers) {
  handlers_ = std::move(handlers);
  read();
}

void LocalLink::send(LocalPacket packet) {
  if (closed_ || packet.bytes.size() > most_bytes || queued_ + packet.bytes.size() > most_queued) return;
  for (auto& one : packet.descriptors) one = ::fcntl(one, F_DUPFD_CLOEXEC, 0);
  queued_ += packet.bytes.size();
  queue_.push_back(std::move(packet));
  write();
}

void LocalLink::close() {
  if (std::exchange(closed_, true)) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
  for (auto& packet : queue_) close_all(packet.descriptors);
  queue_.clear();
  handlers_ = {};
}

void LocalLink::ended() {
  if (closed_) return;
  const auto closed = std::move(handlers_.closed);
  close();
  if (closed) closed();
}

void LocalLink::read() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (error || self->closed_) return;
                       for (;;) {
                         LocalPacket packet;
                         const auto got = receive_now(self->socket_.native_handle(), packet);
                         if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
                         if (got <= 0) return self->ended();
                         const auto handler = self->handlers_.packet;  // it may close the link
                         if (handler) handler(std::move(packet));
                         if (self->closed_) return;
                       }
                       self->read();
                     });
}

void LocalLink::write() {
  while (!writing_ && !queue_.empty()) {
    const auto sent = send_now(socket_.native_handle(), queue_.front());
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
      writing_ = true;
      socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           self->writing_ = false;
                           if (!error && !self->closed_) self->write();
                         });
      return;
    }
    // A failure is seen by the reader as the end.
    queued_ -= queue_.front().bytes.size();
    close_all(queue_.front().descriptors);
    queue_.pop_front();
  }
}

}  // namespace rw::net
