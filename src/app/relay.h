#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "app/predecessor.h"
#include "net/local_link.h"
#include "net/sip_transports.h"
#include "sip/ownership.h"

namespace rw::app {

struct TakeoverPacket;

/// Stands between the SIP sockets and the shards where processes take over from one another (docs/operations.md): gives
/// the sockets to the process that comes next, and brings each message to the process that it belongs to. Without other
/// processes all goes straight through. Belongs to the thread of its loop, which is the SIP sockets'.
class Relay {
 public:
  using Hop = net::SipTransports::Hop;
  struct Host {
    std::function<void(const Hop&, std::string_view)> deliver;  ///< a message for this process
    std::function<void(const Hop&, std::string)> send;          ///< by this process's own sockets
    std::function<void(const Hop&)> closed;                     ///< for this process's calls
    std::function<std::vector<OfferedSocket>()> sockets;
    /// Stops reading those of sockets() whose places are named, and takes no new calls. `given` is called on the loop.
    std::function<void(const std::vector<std::size_t>& places, std::function<void(HandedOver)> given)> give;
    std::function<void()> successor_gone;  ///< the sockets are read again
    std::function<void()> predecessor_gone;
  };

  Relay(boost::asio::io_context& loop, std::string mark, Host host);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Waits at `path` for a process that takes over.
  Result<void> listen(const std::string& path);
  /// This process has taken over from that one.
  void follow(Predecessor& predecessor, const HandedOver& given);

  /// From the sockets, and to them.
  void received(const Hop& hop, std::string_view bytes);
  void closed(const Hop& hop);
  void send(const Hop& hop, std::string bytes);
  void stop();

 private:
  enum class From : std::uint8_t { here, predecessor, successor };
  struct Peer {
    std::shared_ptr<net::LocalLink> link;
    std::unordered_set<std::uint64_t> ours;  ///< connections of ours that messages for it have come over
  };

  void wait_for_successor();
  void accept();
  void start(Peer& peer, From from);
  void packet(From from, const net::LocalPacket& packet);
  void give(const TakeoverPacket& asked);
  void route(From from, const Hop& hop, std::string_view bytes);
  void forward(Peer& peer, const Hop& hop, std::string_view bytes);
  void gone(From from);
  Peer& peer(From from) { return from == From::predecessor ? predecessor_ : successor_; }

  boost::asio::io_context& loop_;
  const std::string mark_;
  const Host host_;
  sip::Ownership owners_;
  std::vector<std::string> earlier_marks_;
  std::string path_;
  boost::asio::posix::stream_descriptor listener_;
  Peer predecessor_, successor_;
  std::shared_ptr<net::LocalLink> candidate_;       ///< has said hello, and may yet take over
  std::unordered_map<std::uint64_t, From> theirs_;  ///< connections that messages from others have come over
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rw::app
