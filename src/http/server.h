#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/exchange.h"
#include "http/router.h"
#include "net/address.h"

namespace rw::http {

/// A request that got an answer with `refused_because`, for the log.
struct RefusedRequest {
  std::string_view method = {}, path = {};  ///< without the query; empty if there was no head that could be read
  net::Address client = {};
  int status = 0;
  std::string_view why = {};
};

struct ServerOptions {
  std::size_t max_connections = 1000;                 ///< further ones wait in the kernel's backlog
  std::size_t max_connections_per_client = 250;       ///< further ones are closed at once; 0: any number
  std::vector<net::Network> trusted_proxies{};        ///< who say in X-Forwarded-For whom they speak for
  std::chrono::milliseconds header_timeout{10'000};   ///< for a whole request head, once its first byte is there
  std::chrono::milliseconds idle_timeout{60'000};     ///< between requests; also for a peer that does not read
  std::chrono::milliseconds body_timeout{10'000};     ///< for each 32 KB of a body
  std::chrono::milliseconds upload_timeout{300'000};  ///< for a whole body
  /// Bytes of a body a second, on the whole, from `rate_patience` after its beginning on.
  std::uint64_t least_rate = 16 * 1024;
  std::chrono::milliseconds rate_patience{20'000};
  // A time-out closes the connection; a body that takes too long as a whole gets a 408 first.
  /// Headers of every answer, whoever made it.
  std::vector<std::pair<std::string, std::string>> headers;
  /// Makes the answers that the server gives itself (400, 404, 405, 408, 411, 413, 416, 431, 500).
  std::function<Answer(int status, std::string reason)> error;
  /// Called when a client has too many connections. May be empty.
  std::function<void()> refused{};
  /// Called for each RefusedRequest, on the server's thread. May be empty.
  std::function<void(const RefusedRequest&)> request_refused{};
};

/// An HTTP/1.1 server on somebody else's loop, which is run by one thread. Handlers are called on that thread and must
/// not block it; they answer from wherever they like. Must outlive the loop's run.
class Server {
 public:
  Server(boost::asio::io_context& loop, Router router, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Opens a listener; `address` may have port 0. The address it got. Before the loop runs, or on its thread.
  Result<net::Address> listen(const net::Address& address);

  /// The same with a socket that listens already, and is the server's from now on.
  Result<net::Address> listen(int descriptor);
  /// A listener, as another process can be given it.
  struct Listener {
    net::Address local;
    int descriptor = -1;  ///< stays the server's
  };
  std::vector<Listener> listeners() const;
  /// Takes no new connections at these listeners, and lets the present ones finish their exchange; so will those do
  /// that come at other listeners. On the loop's thread.
  void pause(const std::vector<net::Address>& listeners);
  /// Takes connections again at all listeners, and keeps them. On the loop's thread.
  void resume();

  /// Closes the listeners and the idle connections, lets the others finish their exchange, and closes them as well
  /// when `grace` is over. From any thread. After that nothing of the server keeps the loop running.
  void stop(std::chrono::milliseconds grace);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rw::http
