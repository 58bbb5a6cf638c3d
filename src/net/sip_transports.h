#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace rw::net {

/// The sockets of SIP: UDP and TCP listeners, connections that came in and connections that we open. Knows nothing of
/// SIP but that a stream has to be cut into messages. Belongs to the thread of its loop.
class SipTransports {
 public:
  enum class Protocol : std::uint8_t { udp, tcp };
  struct Hop {
    Protocol protocol = Protocol::udp;
    Address local;
    Address remote;
    std::uint64_t connection = 0;  ///< of TCP; 0 when sending: use one to `remote` that is open, or open one
    Address instead{};  ///< when sending: where one is opened if `connection` has gone; port 0: `closed` tells that
  };
  struct Handlers {
    /// A datagram, or a message cut out of a stream. `bytes` is valid during the call.
    std::function<void(const Hop&, std::string_view bytes)> message;
    /// A connection has closed, has gone already, or could not be opened: 0 stands for one that could not even be
    /// tried.
    std::function<void(const Hop&)> closed;
    /// The length of the first message in what a stream brought; 0: not complete; an error closes the connection.
    std::function<Result<std::size_t>(std::string_view)> cut;
    /// Whether what is sent over a connection makes it one that calls depend on: it is not closed for the sake of
    /// others. May be empty.
    std::function<bool(std::string_view bytes)> binds{};
    /// A connection was refused, or closed for the sake of another one, because there were too many. May be empty.
    std::function<void()> refused{};
  };

  SipTransports(boost::asio::io_context& loop, Handlers handlers);
  ~SipTransports();
  SipTransports(const SipTransports&) = delete;
  SipTransports& operator=(const SipTransports&) = delete;

  /// A listener, as another process can be given it.
  struct Listener {
    Protocol protocol = Protocol::udp;
    Address local;
    int descriptor = -1;  ///< stays ours
  };

  /// Opens a listener; port 0 takes a free one. The address it got.
  Result<Address> listen(Protocol protocol, const Address& address);
  /// The same with a socket that is bound and listens already, and is ours from now on.
  Result<Address> listen(Protocol protocol, int descriptor);
  std::vector<Listener> listeners() const;
  /// From now on nothing is read from this listener, and no connection accepted, until resume(); it is still sent from.
  /// Connections that are open go on.
  void pause(const Listener& listener);
  /// Reads from all listeners.
  void resume();
  /// Connections get numbers above this one.
  void number_connections_from(std::uint64_t number);
  /// So many connections one client (net::Address::site()) may have opened to us; for one more its own longest idle one
  /// that no call depends on is closed, else the new one. 0: any number.
  void limit_connections(std::size_t per_client);
  void send(const Hop& to, std::string bytes);
  /// Closes everything.
  void stop();
  /// Datagrams that the kernel did not take. SIP repeats them.
  std::uint64_t unsent() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rw::net
