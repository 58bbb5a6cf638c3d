#include <liburing.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <vector>

#include "media/io.h"

namespace rw::media {
namespace {

/// A ring that is closed with its owner. It does not move: the kernel's side is tied to the thread that made it.
class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (open_) io_uring_queue_exit(&ring_);
  }

  bool open() {
    io_uring_params parameters{};
    // Completions are only looked at once per slot, by the one thread: the kernel need not interrupt it for them.
    parameters.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL;
    parameters.cq_entries = 8192;
    open_ = io_uring_queue_init_params(1024, &ring_, &parameters) == 0;
    return open_;
  }
  io_uring* get() { return &ring_; }

 private:
  io_uring ring_{};
  bool open_ = false;
};

struct alignas(4096) Page {
  std::array<std::byte, 4096> bytes;
};

class UringIo : public Io {
 public:
  /// False: not available here.
  bool open() {
    if (!ring_.open()) return false;
    io_uring_register_ring_fd(ring_.get());  // saves a look-up with each call; not everywhere, and not needed
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    table_size_ = static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, max_table));
    if (io_uring_register_files_sparse(ring_.get(), table_size_) != 0) return false;
    return open_buffers();
  }

  SocketId add(FileDescriptor fd, std::uint64_t owner) override {
    SocketId id = 0;
    if (free_.empty()) {
      id = static_cast<SocketId>(sockets_.size());
      if (id >= table_size_) throw std::length_error("more sockets than file descriptors");
      sockets_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    register_file(id, fd.get());
    sockets_[id] = {std::move(fd), owner, false, false};
    receive_on(id);
    return id;
  }

  void remove(SocketId socket) override {
    Socket& gone = sockets_[socket];
    gone.removed = true;
    if (gone.receiving) {
      io_uring_sqe* entry = next_entry();
      io_uring_prep_cancel64(entry, socket, 0);
      entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
      io_uring_sqe_set_data64(entry, nothing);
    }
    removed_.push_back(socket);
  }

  FileDescriptor take(SocketId socket) override {
    FileDescriptor fd = std::move(sockets_[socket].fd);
    remove(socket);
    return fd;
  }

  std::span<std::uint8_t, send_capacity> packet() override {
    if (used_ == packets_.size()) submit();
    return packets_[used_].bytes;
  }

  void send(SocketId socket, std::size_t length, const net::Address& to) override {
    Packet& packet = packets_[used_];
    io_uring_sqe* entry = next_entry();
    packet.to = to;
    // MSG_DONTWAIT: done with, one way or the other, when submit() returns, so the packet's space can be used again.
    io_uring_prep_send(entry, static_cast<int>(socket), packet.bytes.data(), length, MSG_DONTWAIT | MSG_NOSIGNAL);
    io_uring_prep_send_set_addr(entry, packet.to.raw(), static_cast<std::uint16_t>(packet.to.length()));
    entry->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(entry, nothing);
    ++used_;
  }

  void serve(Receiver& receiver, TimePoint until) override {
    submit_and_wait(until);
    used_ = 0;
    for (const SocketId socket : removed_) {
      register_file(socket, -1);
      sockets_[socket].fd.reset();
    }
    closing_.insert(closing_.end(), removed_.begin(), removed_.end());
    removed_.clear();
    complete(receiver);
    std::erase_if(closing_, [&](SocketId socket) {
      if (sockets_[socket].receiving) return false;  // the kernel still has it
      receiver.closed(sockets_[socket].owner);
      free_.push_back(socket);
      return true;
    });
  }

  bool is_io_uring() const override { return true; }

 private:
  static constexpr rlim_t max_table = 1U << 17;
  static constexpr std::uint64_t nothing = ~std::uint64_t{0};  ///< mark of requests whose outcome does not matter
  static constexpr unsigned buffer_count = 1024;               ///< received packets between two slots
  static constexpr std::size_t name_size = sizeof(sockaddr_in6);
  static constexpr std::size_t buffer_size = sizeof(io_uring_recvmsg_out) + name_size + receive_capacity;
  static constexpr int buffer_group = 0;

  struct Socket {
    FileDescriptor fd;
    std::uint64_t owner = 0;
    bool receiving = false;  ///< a request for it is with the kernel
    bool removed = false;
  };
  struct Packet {
    std::array<std::uint8_t, send_capacity> bytes;
    net::Address to;
  };

  bool open_buffers() {
    ring_pages_.resize((buffer_count * sizeof(io_uring_buf) + sizeof(Page) - 1) / sizeof(Page));
    buffers_.resize(buffer_count * buffer_size);
    shared_ = reinterpret_cast<io_uring_buf_ring*>(ring_pages_.data());
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(shared_);
    registration.ring_entries = buffer_count;
    registration.bgid = buffer_group;
    if (io_uring_register_buf_ring(ring_.get(), &registration, 0) != 0) return false;
    io_uring_buf_ring_init(shared_);
    for (unsigned i = 0; i < buffer_count; ++i) give_buffer(i, static_cast<int>(i));
    io_uring_buf_ring_advance(shared_, buffer_count);
    header_.msg_namelen = name_size;
    return true;
  }

  std::uint8_t* buffer(unsigned id) { return buffers_.data() + id * buffer_size; }
  void give_buffer(unsigned id, int offset) {
    io_uring_buf_ring_add(shared_, buffer(id), buffer_size, static_cast<unsigned short>(id),
                          io_uring_buf_ring_mask(buffer_count), offset);
  }

  void register_file(SocketId socket, int fd) { io_uring_register_files_update(ring_.get(), socket, &fd, 1); }

  io_uring_sqe* next_entry() {
    io_uring_sqe* entry = io_uring_get_sqe(ring_.get());
    while (entry == nullptr) {
      io_uring_submit(ring_.get());
      entry = io_uring_get_sqe(ring_.get());
    }
    return entry;
  }

  void submit() {
    io_uring_submit(ring_.get());
    used_ = 0;
  }

  /// One system call for a slot's sends, the sleep and what came meanwhile. The kernel handles as many completions as
  /// are waited for, but only a few if none are; so ask for more than come.
  void submit_and_wait(TimePoint until) {
    const auto left = std::max(std::chrono::nanoseconds(until - Clock::now()), std::chrono::nanoseconds(0));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    __kernel_timespec timeout{};
    timeout.tv_sec = seconds.count();
    timeout.tv_nsec = (left - seconds).count();
    io_uring_cqe* first = nullptr;
    io_uring_submit_and_wait_timeout(ring_.get(), &first, buffer_count, &timeout, nullptr);
  }

  void receive_on(SocketId socket) {
    io_uring_sqe* entry = next_entry();
    io_uring_prep_recvmsg_multishot(entry, static_cast<int>(socket), &header_, 0);
    entry->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    entry->buf_group = buffer_group;
    io_uring_sqe_set_data64(entry, socket);
    sockets_[socket].receiving = true;
  }

  void complete(Receiver& receiver) {
    unsigned head = 0;
    unsigned seen = 0;
    int returned = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(ring_.get(), head, completion) {
      ++seen;
      if (completion->user_data == nothing) continue;
      const auto socket = static_cast<SocketId>(completion->user_data);
      if ((completion->flags & IORING_CQE_F_BUFFER) != 0) {
        const unsigned id = completion->flags >> IORING_CQE_BUFFER_SHIFT;
        if (completion->res > 0 && !sockets_[socket].removed) deliver(socket, buffer(id), completion->res, receiver);
        give_buffer(id, returned++);
      }
      if ((completion->flags & IORING_CQE_F_MORE) == 0) ended_.push_back(socket);
    }
    io_uring_buf_ring_advance(shared_, returned);
    io_uring_cq_advance(ring_.get(), seen);
    // A request ends when it is cancelled or when the buffers ran out, of which there are enough again now.
    for (const SocketId socket : ended_) {
      sockets_[socket].receiving = false;
      if (!sockets_[socket].removed) receive_on(socket);
    }
    ended_.clear();
  }

  void deliver(SocketId socket, std::uint8_t* bytes, int length, Receiver& receiver) {
    io_uring_recvmsg_out* out = io_uring_recvmsg_validate(bytes, length, &header_);
    if (out == nullptr || (out->flags & MSG_TRUNC) != 0 || out->namelen > name_size) return;
    const net::Address from(static_cast<const sockaddr*>(io_uring_recvmsg_name(out)), out->namelen);
    const auto* payload = static_cast<const std::uint8_t*>(io_uring_recvmsg_payload(out, &header_));
    receiver.received(sockets_[socket].owner, {payload, io_uring_recvmsg_payload_length(out, length, &header_)}, from);
  }

  // The memory that the kernel knows of comes before the ring, so that it outlives it.
  std::vector<Page> ring_pages_;
  std::vector<std::uint8_t> buffers_;
  io_uring_buf_ring* shared_ = nullptr;
  msghdr header_{};
  std::array<Packet, 128> packets_{};
  std::size_t used_ = 0;
  std::vector<Socket> sockets_;
  std::vector<SocketId> free_, removed_, closing_, ended_;
  unsigned table_size_ = 0;
  Ring ring_;
};

}  // namespace

std::unique_ptr<Io> make_uring_io() {
  auto io = std::make_unique<UringIo>();
  if (!io->open()) return nullptr;
  return io;
}

}  // namespace rw::media
