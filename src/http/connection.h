#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "http/open_connections.h"
#include "http/server.h"

namespace rw::http {

/// One accepted connection. It keeps itself in ConnectionContext::open until it is closed.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  /// Closes now if it is idle, else after the exchange under way.
  virtual void wind_down() = 0;
  virtual void close() = 0;
};

/// What a server's connections share; used on the loop's thread only.
struct ConnectionContext {
  ServerOptions options;
  Router router;
  bool stopping = false;
  bool brief = false;  ///< a connection is closed after one exchange
  OpenConnections open;
  std::function<void()> closed;  ///< one has left `open`
};

/// A connection without TLS. (One with TLS is the same class over another stream.)
std::shared_ptr<Connection> make_plain_connection(boost::asio::ip::tcp::socket socket, const net::Address& peer,
                                                  std::shared_ptr<ConnectionContext> context);

}  // namespace rw::http
