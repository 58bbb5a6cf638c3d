#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "net/address_policy.h"

namespace rw::http {

/// How a client shows itself to a server, and knows it. PEM texts that live as long as `owner`; empty: none, and the
/// system's certificates.
struct ClientTls {
  std::string_view certificate, key;  ///< both or none
  std::string_view ca;
  std::shared_ptr<const void> owner;
};

struct ClientRequest {
  std::string url;                   ///< http or https
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  ClientTls tls;  ///< connections are shared only by requests with the same
  /// The operator has named the URL: it may lead to any address, and carry a user and a password.
  bool trusted = false;
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds total_timeout{8000};  ///< connecting included
};

struct ClientResponse {
  int status = 0;
  std::string body;
};

struct ClientError {
  enum class Kind : std::uint8_t { unreachable, timed_out, too_large, other };
  Kind kind = Kind::other;
  std::string message;
};

/// Sends HTTP requests without blocking, over kept-alive connections, as many at a time as it is given: whoever uses it
/// bounds that. Belongs to the thread of its io_context. Must be
/// destroyed there, or after the io_context has stopped for good; what is under way then is dropped without a word.
class Client {
 public:
  using Handler = std::function<void(tl::expected<ClientResponse, ClientError>)>;
  using RequestId = std::uint64_t;

  static constexpr std::size_t max_body = 1024 * 1024;
  static constexpr long max_kept_connections = 512;

  /// `policy`: where requests may go to that aren't trusted. Looked at when a connection is opened; no other requests
  /// use that connection than such ones.
  Client(boost::asio::io_context& loop, net::AddressPolicy policy);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// `handler` is called exactly once, never from inside post(), unless cancel() comes first. Redirects are not
  /// followed.
  RequestId post(ClientRequest request, Handler handler);
  void cancel(RequestId request);
  std::size_t in_flight() const;

 private:
  class Impl;
  Impl& pool(RequestId request) const { return request % 2 == 1 ? *trusted_ : *checked_; }

  /// Each keeps connections of its own; the requests of the first have odd ids.
  std::shared_ptr<Impl> trusted_, checked_;
};

/// curl's global state; one for the life of the program, made before any thread.
class ClientLibrary {
 public:
  ClientLibrary();
  ~ClientLibrary();
  ClientLibrary(const ClientLibrary&) = delete;
  ClientLibrary& operator=(const ClientLibrary&) = delete;
};

}  // namespace rw::http
