#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rw::net {

/// A packet between two processes of this machine, perhaps with descriptors, which are the receiver's to close.
struct LocalPacket {
  std::string bytes;
  std::vector<int> descriptors;
};

/// A socket in the file system that packets keep their bounds on (AF_UNIX, SOCK_SEQPACKET). Descriptors are the
/// caller's to close. An error if nobody listens there.
Result<int> connect_local(const std::string& path);
/// Takes the place of whatever stands at `path`; only this user may connect.
Result<int> listen_local(const std::string& path);
/// For a thread that may wait.
Result<void> send_local(int descriptor, const LocalPacket& packet);
Result<LocalPacket> receive_local(int descriptor, std::chrono::milliseconds patience);

/// One end of such a connection, on a loop. Bounded in what it queues: packets beyond are dropped. Belongs to the
/// thread of its loop; kept alive by what it waits for.
class LocalLink : public std::enable_shared_from_this<LocalLink> {
 public:
  struct Handlers {
    std::function<void(LocalPacket)> packet;
    std::function<void()> closed;  ///< by the other end; once, and nothing after it
  };
  static constexpr std::size_t most_bytes = 64 * 1024 + 8 * 1024;  ///< of a packet
  static constexpr std::size_t most_queued = 16 * 1024 * 1024;

  /// `descriptor` is the link's from now on.
  LocalLink(boost::asio::io_context& loop, int descriptor);
  void start(Handlers handlers);
  /// The packet's descriptors stay the caller's; they have to live until this returns.
  void send(LocalPacket packet);
  /// Nothing is called any more.
  void close();

 private:
  void read();
  void write();
  void ended();

  boost::asio::posix::stream_descriptor socket_;
  Handlers handlers_;
  std::deque<LocalPacket> queue_;  ///< their descriptors are duplicates of ours
  std::size_t queued_ = 0;
  bool writing_ = false, closed_ = false;
};

}  // namespace rw::net
