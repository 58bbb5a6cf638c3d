#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/sip_transports.h"

namespace rw::net {

/// One TCP connection of SIP. Bounded in what it buffers either way, and in how long it may be silent. Kept alive by
/// what it waits for.
class TcpConnection : public std::enable_shared_from_this<TcpConnection> {
 public:
  /// What was not sent and has another way to go: the bytes, and where to.
  using Unsent = std::vector<std::pair<std::string, Address>>;
  using Closed = std::function<void(const SipTransports::Hop&, const Unsent&)>;

  TcpConnection(boost::asio::ip::tcp::socket socket, SipTransports::Hop hop, const SipTransports::Handlers& handlers,
                Closed closed);

  /// For one that came in.
  void start();
  /// Opens it to its hop's remote address.
  void connect();
  /// `instead`: where they may go if the connection ends before they have; port 0: nowhere.
  void send(std::string bytes, const Address& instead);
  void close();
  const SipTransports::Hop& hop() const { return hop_; }
  /// When something last came, or it was opened.
  std::chrono::steady_clock::time_point last_heard() const { return last_heard_; }
  /// The other side has opened it.
  bool accepted() const { return accepted_; }
  /// Calls depend on it.
  void bind() { bound_ = true; }
  bool bound() const { return bound_; }

 private:
  void bind_source();
  void read();
  void received(std::size_t bytes);
  void write();
  void watch(std::chrono::seconds time);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  SipTransports::Hop hop_;
  SipTransports::Handlers handlers_;
  Closed closed_;
  std::string buffer_;
  std::size_t filled_ = 0;
  std::deque<std::pair<std::string, Address>> queue_;
  std::size_t queued_ = 0;
  bool open_ = false;
  bool writing_ = false;
  bool accepted_ = false;
  bool bound_ = false;
  std::chrono::steady_clock::time_point last_heard_ = std::chrono::steady_clock::now();
  bool ended_ = false;
};

}  // namespace rw::net
