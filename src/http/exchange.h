#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/address.h"

/// One HTTP request that came in, and its answer, as plain values: what handlers see of the server.
namespace rw::http {

struct IncomingRequest {
  std::string method;
  std::string path;                                          ///< as sent, without the query
  std::vector<std::pair<std::string, std::string>> query;    ///< decoded, in order
  std::map<std::string, std::string, std::less<>> captures;  ///< the {names} of the route's pattern, decoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;     ///< empty for uploads
  net::Address remote;  ///< who sent it; behind a trusted proxy the port is 0

  /// The first header of that name (without regard to case); nothing if there is none.
  std::optional<std::string_view> header(std::string_view name) const;
  /// The first query parameter of that name; nothing if there is none.
  std::optional<std::string_view> query_value(std::string_view name) const;
  /// A name of the route's pattern. It has to be there.
  const std::string& capture(std::string_view name) const;
};

/// Bytes that are too many to hold in memory. Read on the server's thread, piece by piece.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills as much of `into` as there is from `offset` on; 0 at the end.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> into) = 0;
};

/// What goes back. `Content-Length`, `Date`, `Connection` and the server's own headers are added by the server.
struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// Sent in place of `body`, with ranges (RFC 9110 section 14) when `status` is 200.
  std::shared_ptr<ByteSource> source;
  // ---- for the log only
  std::string refused_because = {};  ///< where no line has told it yet
  std::string about = {};            ///< the id of what the request has begun
};

/// The way to answer one request: call it once, at any time, from any thread. Further calls do nothing; when the last
/// copy goes without a call, the answer is 500.
class Responder {
 public:
  /// `deliver` is called exactly once; with nothing if the responder was dropped.
  explicit Responder(std::function<void(std::optional<Answer>)> deliver);
  void operator()(Answer answer) const;

 private:
  class Once;
  std::shared_ptr<Once> once_;
};

/// Takes the body of an upload as it arrives. Lives with the connection, on the server's thread; destroyed without
/// finish() if the upload broke off.
class BodySink {
 public:
  /// Asks for the next piece, or (false) for no more because the answer has been given. From any thread, once.
  using Next = std::function<void(bool more)>;

  virtual ~BodySink() = default;
  virtual void write(std::string piece, Next next) = 0;
  /// The whole body has come; the answer is due.
  virtual void finish() = 0;
};

}  // namespace rw::http
