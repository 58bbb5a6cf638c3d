#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/time.h"
#include "media/file_descriptor.h"
#include "net/address.h"

namespace rw::media {

/// The sockets of one worker. All calls come from the worker's thread, including the first: an Io belongs to the thread
/// that made it. Sending and receiving happen in batches, in serve(), in which the worker waits for its
/// next slot.
class Io {
 public:
  using SocketId = std::uint32_t;
  /// Space for one packet to be sent; bigger ones don't occur.
  static constexpr std::size_t send_capacity = 512;
  /// Longest datagram that is received: 200 ms of G.711 (RFC 3551 4.2) and extensions; a longer one is dropped.
  static constexpr std::size_t receive_capacity = 1728;

  /// Whoever the packets are for.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    /// A datagram for the socket that was added with `owner`. `bytes` is valid during the call.
    virtual void received(std::uint64_t owner, std::span<const std::uint8_t> bytes, const net::Address& from) = 0;
    /// A removed socket is closed now: its port may be bound again.
    virtual void closed(std::uint64_t owner) = 0;
  };

  virtual ~Io() = default;

  /// `fd`: a bound datagram socket; it takes it over and receives on it. `owner` comes back with each packet.
  virtual SocketId add(FileDescriptor fd, std::uint64_t owner) = 0;
  /// Sends what is queued for the socket, then closes it; closed() follows in a later serve(). The id is dead from now
  /// on.
  virtual void remove(SocketId socket) = 0;

  /// As remove(), but the socket stays open and goes to the caller, for another Io.
  virtual FileDescriptor take(SocketId socket) = 0;

  /// Where to write the next packet; valid until the next call to this object.
  virtual std::span<std::uint8_t, send_capacity> packet() = 0;
  /// Sends the first `length` bytes of packet(), in serve() at the latest. What the kernel does not take at once is
  /// lost, as on any network.
  virtual void send(SocketId socket, std::size_t length, const net::Address& to) = 0;

  /// Sends what is queued, waits until `until` (or a little less, when very much comes in), and delivers what has come.
  virtual void serve(Receiver& receiver, TimePoint until) = 0;

  virtual bool is_io_uring() const = 0;
};

/// The one that uses io_uring, or null if this kernel or its configuration does not allow that.
std::unique_ptr<Io> make_uring_io();
/// The one that uses epoll and plain system calls; works everywhere. Null only without file descriptors.
std::unique_ptr<Io> make_epoll_io();

}  // namespace rw::media
