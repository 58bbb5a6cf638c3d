#include "http/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/connection.h"
#include "net/networks.h"

namespace rw::http {

namespace asio = boost::asio;
using asio::ip::tcp;

/// The listeners; kept alive by their own pending operations.
struct Server::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io, Router router, ServerOptions options)
      : loop(io), context(std::make_shared<ConnectionContext>()), timer(io) {
    context->options = std::move(options);
    context->router = std::move(router);
  }

  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(io), pause(io) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    bool waiting = false;  ///< for a connection to leave
    bool paused = false;
  };

  static net::Address local_of(const Listener& listener) {
    boost::system::error_code ignored;
    const auto local = listener.acceptor.local_endpoint(ignored);
    return net::Address(local.data(), static_cast<socklen_t>(local.size()));
  }
  net::Address add(const std::shared_ptr<Listener>& listener) {
    listeners.push_back(listener);
    accept(listener);
    return local_of(*listener);
  }
  void accept(const std::shared_ptr<Listener>& listener);
  void accepted(const std::shared_ptr<Listener>& listener, boost::system::error_code error, tcp::socket socket);
  void take(tcp::socket socket);
  void connection_closed();
  void stop(std::chrono::milliseconds grace);
  void close_all();

  asio::io_context& loop;
  std::shared_ptr<ConnectionContext> context;
  std::vector<std::shared_ptr<Listener>> listeners;
  asio::steady_timer timer;
};

void Server::State::accept(const std::shared_ptr<Listener>& listener) {
  listener->waiting = context->open.size() >= context->options.max_connections;
  if (listener->waiting || listener->paused || context->stopping) return;
  listener->acceptor.async_accept(
      [self = shared_from_this(), listener](boost::system::error_code error, tcp::socket socket) {
        self->accepted(listener, error, std::move(socket));
      });
}

void Server::State::accepted(const std::shared_ptr<Listener>& listener, boost::system::error_code error,
                             tcp::socket socket) {
  if (context->stopping || error == asio::error::operation_aborted) return;
  if (error) {  // most likely out of descriptors: don't spin
    listener->pause.expires_after(std::chrono::milliseconds(100));
    listener->pause.async_wait([self = shared_from_this(), listener](boost::system::error_code cancelled) {
      if (!cancelled) self->accept(listener);
    });
    return;
  }
  take(std::move(socket));
  accept(listener);
}

void Server::State::take(tcp::socket socket) {
  boost::system::error_code ignored;
  const auto peer = socket.remote_endpoint(ignored);
  const net::Address address(peer.data(), static_cast<socklen_t>(peer.size()));
  const auto& options = context->options;
  auto client = address.site();
  if (options.max_connections_per_client > 0 && context->open.of_client(client) >= options.max_connections_per_client &&
      !net::is_in(options.trusted_proxies, address)) {
    if (options.refused) options.refused();
    return;
  }
  socket.set_option(tcp::no_delay(true), ignored);
  auto connection = make_plain_connection(std::move(socket), address, context);
  context->open.add(connection, std::move(client));
  connection->start();
}

void Server::State::connection_closed() {
  if (context->stopping) {
    if (context->open.empty()) timer.cancel();
    return;
  }
  for (const auto& listener : listeners) {
    if (listener->waiting) accept(listener);
  }
}

void Server::State::stop(std::chrono::milliseconds grace) {
  if (context->stopping) return;
  context->stopping = true;
  for (const auto& listener : listeners) {
    boost::system::error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
  timer.expires_after(grace);
  timer.async_wait([self = shared_from_this()](boost::system::error_code) { self->close_all(); });
  for (const auto& connection : context->open.all()) connection->wind_down();
  if (context->open.empty()) timer.cancel();
}

void Server::State::close_all() {
  for (const auto& connection : context->open.all()) connection->close();
}

Server::Server(asio::io_context& loop, Router router, ServerOptions options)
    : state_(std::make_shared<State>(loop, std::move(router), std::move(options))) {
  state_->context->closed = [state = std::weak_ptr<State>(state_)] {
    if (const auto alive = state.lock()) alive->connection_closed();
  };
}

Server::~Server() {
  state_->context->stopping = true;
  state_->close_all();
  for (const auto& listener : state_->listeners) {
    boost::system::error_code ignored;
    listener->acceptor.close(ignored);
  }
}

Result<net::Address> Server::listen(const net::Address& address) {
  boost::system::error_code error;
  const auto host = asio::ip::make_address(address.host(), error);
  const tcp::endpoint endpoint(host, address.port());
  auto listener = std::make_shared<State::Listener>(state_->loop);
  if (!error) listener->acceptor.open(endpoint.protocol(), error);
  if (!error) listener->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && address.is_v6()) listener->acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) listener->acceptor.bind(endpoint, error);
  if (!error) listener->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail("http " + address.to_string() + ": " + error.message());
  return state_->add(listener);
}

Result<net::Address> Server::listen(int descriptor) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return fail("http: not a socket");
  const net::Address local(reinterpret_cast<const sockaddr*>(&bound), length);
  auto listener = std::make_shared<State::Listener>(state_->loop);
  boost::system::error_code error;
  listener->acceptor.assign(local.is_v6() ? tcp::v6() : tcp::v4(), descriptor, error);
  if (error) return fail("http " + local.to_string() + ": " + error.message());
  return state_->add(listener);
}

std::vector<Server::Listener> Server::listeners() const {
  std::vector<Listener> all;
  for (const auto& one : state_->listeners) all.push_back({State::local_of(*one), one->acceptor.native_handle()});
  return all;
}

void Server::pause(const std::vector<net::Address>& listeners) {
  for (const auto& one : state_->listeners) {
    if (std::ranges::find(listeners, State::local_of(*one)) == listeners.end()) continue;
    one->paused = true;
    boost::system::error_code ignored;
    one->acceptor.cancel(ignored);
    one->pause.cancel();
  }
  state_->context->brief = true;
  for (const auto& connection : state_->context->open.all()) connection->wind_down();
}

void Server::resume() {
  state_->context->brief = false;
  for (const auto& one : state_->listeners) {
    if (std::exchange(one->paused, false)) state_->accept(one);
  }
}

void Server::stop(std::chrono::milliseconds grace) {
  asio::post(state_->loop, [state = state_, grace] { state->stop(grace); });
}

}  // namespace rw::http
