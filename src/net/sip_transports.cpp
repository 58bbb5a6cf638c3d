#include "net/sip_transports.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <unordered_map>

#include "net/tcp_connection.h"

namespace rw::net {
namespace {

using boost::asio::ip::tcp;
using boost::asio::ip::udp;

constexpr std::size_t datagram_bytes = 64 * 1024;
constexpr std::size_t batch = 16;
constexpr int batches_per_turn = 8;             ///< then others get their turn
constexpr std::size_t most_accepted = 2000;     ///< connections, whoever opened them, with which one more is let in
constexpr std::size_t most_connections = 2500;  ///< the rest is for those that we open
constexpr int socket_buffer = 4 * 1024 * 1024;

template <class Endpoint>
Endpoint endpoint_of(const Address& address) {
  Endpoint endpoint;
  std::memcpy(endpoint.data(), address.raw(), address.length());
  endpoint.resize(address.length());
  return endpoint;
}

template <class Endpoint>
Address address_of(const Endpoint& endpoint) {
  return Address(endpoint.data(), static_cast<socklen_t>(endpoint.size()));
}

}  // namespace

class SipTransports::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& loop, Handlers handlers)
      : loop_(loop), handlers_(std::move(handlers)), buffers_(batch * datagram_bytes) {}

  Result<Address> listen(Protocol protocol, const Address& address) {
    return protocol == Protocol::udp ? listen_udp(address) : listen_tcp(address);
  }

  void send(const Hop& to, std::string bytes) {
    if (to.protocol == Protocol::udp) {
      send_udp(to, bytes);
    } else if (auto connection = connection_to(to)) {
      if (handlers_.binds && handlers_.binds(bytes)) connection->bind();
      connection->send(std::move(bytes), to.instead);
    } else {
      report_closed(to);
    }
  }

  Result<Address> listen(Protocol protocol, int descriptor) {
    boost::system::error_code error;
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return fail("not a socket");
    const Address local(reinterpret_cast<const sockaddr*>(&bound), length);
    if (protocol == Protocol::udp) {
      auto listener = std::make_unique<UdpListener>(loop_);
      listener->socket.assign(local.is_v6() ? udp::v6() : udp::v4(), descriptor, error);
      if (error) return fail("udp:" + local.to_string() + ": " + error.message());
      return add_udp(std::move(listener));
    }
    auto listener = std::make_unique<TcpListener>(loop_);
    listener->acceptor.assign(local.is_v6() ? tcp::v6() : tcp::v4(), descriptor, error);
    if (error) return fail("tcp:" + local.to_string() + ": " + error.message());
    return add_tcp(std::move(listener));
  }

  std::vector<Listener> listeners() {
    std::vector<Listener> all;
    all.reserve(udp_.size() + tcp_.size());
    for (const auto& one : udp_) all.push_back({Protocol::udp, one->local, one->socket.native_handle()});
    for (const auto& one : tcp_) all.push_back({Protocol::tcp, one->local, one->acceptor.native_handle()});
    return all;
  }

  void pause(const Listener& listener) {
    boost::system::error_code ignored;
    for (auto& one : udp_) {
      if (listener.protocol != Protocol::udp || one->local != listener.local) continue;
      one->paused = true;
      one->socket.cancel(ignored);
    }
    for (auto& one : tcp_) {
      if (listener.protocol != Protocol::tcp || one->local != listener.local) continue;
      one->paused = true;
      one->acceptor.cancel(ignored);
    }
  }

  void resume() {
    for (auto& one : udp_) {
      if (std::exchange(one->paused, false)) wait_udp(*one);
    }
    for (auto& one : tcp_) {
      if (std::exchange(one->paused, false)) accept(*one);
    }
  }

  void limit_connections(std::size_t per_client) { per_client_ = per_client; }
  void number_connections_from(std::uint64_t number) { last_connection_ = number; }

  void stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    for (auto& listener : udp_) listener->socket.close(ignored);
    for (auto& listener : tcp_) listener->acceptor.close(ignored);
    const auto connections = connections_;
    for (const auto& [id, connection] : connections) connection->close();
  }

  std::uint64_t unsent() const { return unsent_; }

 private:
  struct UdpListener {
    explicit UdpListener(boost::asio::io_context& loop) : socket(loop) {}
    udp::socket socket;
    Address local;
    bool paused = false;
  };
  struct TcpListener {
    explicit TcpListener(boost::asio::io_context& loop) : acceptor(loop) {}
    tcp::acceptor acceptor;
    Address local;
    bool paused = false;
  };

  Result<Address> listen_udp(const Address& address) {
    auto listener = std::make_unique<UdpListener>(loop_);
    boost::system::error_code error;
    listener->socket.open(address.is_v6() ? udp::v6() : udp::v4(), error);
    if (!error) listener->socket.set_option(boost::asio::socket_base::receive_buffer_size(socket_buffer), error);
    if (!error) listener->socket.bind(endpoint_of<udp::endpoint>(address), error);
    if (error) return fail("udp:" + address.to_string() + ": " + error.message());
    return add_udp(std::move(listener));
  }

  Address add_udp(std::unique_ptr<UdpListener> listener) {
    boost::system::error_code ignored;
    listener->socket.non_blocking(true, ignored);
    listener->local = address_of(listener->socket.local_endpoint());
    udp_.push_back(std::move(listener));
    wait_udp(*udp_.back());
    return udp_.back()->local;
  }

  void wait_udp(UdpListener& listener) {
    listener.socket.async_wait(udp::socket::wait_read,
                               [self = shared_from_this(), &listener](const boost::system::error_code& error) {
                                 if (error || self->stopped_ || listener.paused) return;
                                 self->read_udp(listener);
                                 if (!self->stopped_ && !listener.paused) self->wait_udp(listener);
                               });
  }

  void read_udp(UdpListener& listener) {
    for (int turn = 0; turn < batches_per_turn && !stopped_ && !listener.paused; ++turn) {
      std::array<mmsghdr, batch> messages{};
      std::array<iovec, batch> parts{};
      std::array<sockaddr_storage, batch> sources{};
      for (std::size_t at = 0; at < batch; ++at) {
        parts[at] = {&buffers_[at * datagram_bytes], datagram_bytes};
        messages[at].msg_hdr.msg_iov = &parts[at];
        messages[at].msg_hdr.msg_iovlen = 1;
        messages[at].msg_hdr.msg_name = &sources[at];
        messages[at].msg_hdr.msg_namelen = sizeof sources[at];
      }
      const int count = recvmmsg(listener.socket.native_handle(), messages.data(), batch, MSG_DONTWAIT, nullptr);
      for (int at = 0; at < count && !stopped_; ++at) {
        const auto& message = messages[static_cast<std::size_t>(at)];
        const Hop hop{Protocol::udp, listener.local,
                      Address(static_cast<const sockaddr*>(message.msg_hdr.msg_name), message.msg_hdr.msg_namelen), 0};
        handlers_.message(hop, {static_cast<const char*>(message.msg_hdr.msg_iov->iov_base), message.msg_len});
      }
      if (count < static_cast<int>(batch)) return;
    }
  }

  void send_udp(const Hop& to, const std::string& bytes) {
    auto from = std::find_if(udp_.begin(), udp_.end(), [&](const auto& one) { return one->local == to.local; });
    if (from == udp_.end()) {
      from = std::find_if(udp_.begin(), udp_.end(),
                          [&](const auto& one) { return one->local.is_v6() == to.remote.is_v6(); });
    }
    if (from == udp_.end()) return;
    const auto sent = sendto((*from)->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT, to.remote.raw(),
                             to.remote.length());
    if (sent < 0) ++unsent_;
  }

  Result<Address> listen_tcp(const Address& address) {
    auto listener = std::make_unique<TcpListener>(loop_);
    auto& acceptor = listener->acceptor;
    boost::system::error_code error;
    acceptor.open(address.is_v6() ? tcp::v6() : tcp::v4(), error);
    if (!error) acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint_of<tcp::endpoint>(address), error);
    if (!error) acceptor.listen(512, error);
    if (error) return fail("tcp:" + address.to_string() + ": " + error.message());
    return add_tcp(std::move(listener));
  }

  Address add_tcp(std::unique_ptr<TcpListener> listener) {
    listener->local = address_of(listener->acceptor.local_endpoint());
    tcp_.push_back(std::move(listener));
    accept(*tcp_.back());
    return tcp_.back()->local;
  }

  void accept(TcpListener& listener) {
    listener.acceptor.async_accept(
        [self = shared_from_this(), &listener](const boost::system::error_code& error, tcp::socket socket) {
          if (self->stopped_) return;
          if (!error) {
            boost::system::error_code gone;
            const auto remote = socket.remote_endpoint(gone);
            if (!gone && self->has_room_for(address_of(remote).site()))
              self->take(std::move(socket), Hop{Protocol::tcp, listener.local, address_of(remote), 0});
          }
          if (!listener.paused) self->accept(listener);
        });
  }

  /// Makes room for one more connection of the client, if that can be.
  bool has_room_for(const std::string& client) {
    const bool over = per_client_ != 0 && count_of(client) >= per_client_;
    if (!over && connections_.size() < most_accepted) return true;
    if (handlers_.refused) handlers_.refused();
    const auto idle = longest_idle(over ? client : std::string());
    if (!idle) return false;
    idle->close();
    return true;
  }

  std::size_t count_of(const std::string& client) const {
    const auto found = accepted_.find(client);
    return found == accepted_.end() ? 0 : found->second;
  }

  /// Of those that the client has opened (empty: anybody), and that no call depends on.
  std::shared_ptr<TcpConnection> longest_idle(const std::string& client) const {
    std::shared_ptr<TcpConnection> found;
    for (const auto& [id, one] : connections_) {
      if (!one->accepted() || one->bound() || (found && one->last_heard() >= found->last_heard())) continue;
      if (client.empty() || one->hop().remote.site() == client) found = one;
    }
    return found;
  }

  std::shared_ptr<TcpConnection> adopt(tcp::socket socket, Hop hop) {
    hop.connection = ++last_connection_;
    auto connection = std::make_shared<TcpConnection>(
        std::move(socket), hop, handlers_,
        [weak = weak_from_this()](const Hop& ended, const TcpConnection::Unsent& unsent) {
          if (const auto self = weak.lock()) self->ended(ended, unsent);
        });
    connections_.emplace(hop.connection, connection);
    latest_[hop.remote] = hop.connection;
    return connection;
  }

  void take(tcp::socket socket, const Hop& hop) {
    ++accepted_[hop.remote.site()];
    adopt(std::move(socket), hop)->start();
  }

  void ended(const Hop& hop, const TcpConnection::Unsent& unsent) {
    if (const auto found = connections_.find(hop.connection); found != connections_.end()) {
      const auto client = found->second->accepted() ? accepted_.find(hop.remote.site()) : accepted_.end();
      if (client != accepted_.end() && --client->second == 0) accepted_.erase(client);
      connections_.erase(found);
    }
    const auto latest = latest_.find(hop.remote);
    if (latest != latest_.end() && latest->second == hop.connection) latest_.erase(latest);
    report_closed(hop);
    if (stopped_) return;
    for (const auto& [bytes, instead] : unsent) send({Protocol::tcp, hop.local, instead, 0}, bytes);
  }

  /// Later, since whoever sends is not ready for it.
  void report_closed(const Hop& hop) {
    boost::asio::post(loop_, [weak = weak_from_this(), hop] {
      const auto self = weak.lock();
      if (self && !self->stopped_) self->handlers_.closed(hop);
    });
  }

  std::shared_ptr<TcpConnection> connection_to(const Hop& to) {
    if (const auto found = connections_.find(to.connection); found != connections_.end()) return found->second;
    // The other end of a connection that has gone is no address that anybody listens on.
    const auto& remote = to.connection == 0 ? to.remote : to.instead;
    if (remote.port() == 0) return nullptr;
    if (const auto found = latest_.find(remote); found != latest_.end()) return connections_.at(found->second);
    if (stopped_ || connections_.size() >= most_connections) return nullptr;
    auto connection = adopt(tcp::socket(loop_), Hop{Protocol::tcp, to.local, remote, 0});
    connection->connect();
    return connection;
  }

  boost::asio::io_context& loop_;
  Handlers handlers_;
  std::vector<char> buffers_;
  std::vector<std::unique_ptr<UdpListener>> udp_;
  std::vector<std::unique_ptr<TcpListener>> tcp_;
  std::unordered_map<std::uint64_t, std::shared_ptr<TcpConnection>> connections_;
  std::unordered_map<Address, std::uint64_t> latest_;      ///< the connection to use for a remote address
  std::unordered_map<std::string, std::size_t> accepted_;  ///< connections that a client has opened
  std::size_t per_client_ = 0;
  std::uint64_t last_connection_ = 0;
  std::uint64_t unsent_ = 0;
  bool stopped_ = false;
};

SipTransports::SipTransports(boost::asio::io_context& loop, Handlers handlers)
    : impl_(std::make_shared<Impl>(loop, std::move(handlers))) {}
SipTransports::~SipTransports() {
  stop();
}

Result<Address> SipTransports::listen(Protocol protocol, const Address& address) {
  return impl_->listen(protocol, address);
}
Result<Address> SipTransports::listen(Protocol protocol, int descriptor) {
  return impl_->listen(protocol, descriptor);
}
std::vector<SipTransports::Listener> SipTransports::listeners() const {
  return impl_->listeners();
}
void SipTransports::pause(const Listener& listener) {
  impl_->pause(listener);
}
void SipTransports::resume() {
  impl_->resume();
}
void SipTransports::limit_connections(std::size_t per_client) {
  impl_->limit_connections(per_client);
}
void SipTransports::number_connections_from(std::uint64_t number) {
  impl_->number_connections_from(number);
}
void SipTransports::send(const Hop& to, std::string bytes) {
  impl_->send(to, std::move(bytes));
}
void SipTransports::stop() {
  impl_->stop();
}
std::uint64_t SipTransports::unsent() const {
  return impl_->unsent();
}

}  // namespace rw::net
