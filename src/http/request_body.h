#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace rw::http {

/// What tells where the body of a request ends (RFC 9112 6.3).
struct BodyFraming {
  bool chunked = false;
  bool has_length = false;   ///< there is a Content-Length
  std::uint64_t length = 0;  ///< in octets; 0 if it is chunked, or if there is no body
};

/// A request whose end nobody can know. The connection has to be closed behind the answer.
struct FramingFault {
  int status = 400;  ///< 501: by a transfer coding that is not known here (RFC 9112 6.1)
  std::string reason;
};

/// `length`: the Content-Length, if `has_length`.
tl::expected<BodyFraming, FramingFault> body_framing(
    const boost::beast::http::request_header<boost::beast::http::fields>& head, bool has_length, std::uint64_t length);

/// Takes a request's body out of what follows its head; wherever that is cut, the same comes out. Chunks are read as
/// RFC 9112 7.1 writes them and no other way: what another reader may take for another body is malformed. Extensions
/// and trailers are skipped, up to `most_skipped` octets of a body.
class BodyReader {
 public:
  static constexpr std::size_t most_skipped = 16 * 1024;

  BodyReader() = default;  ///< of a request without a body
  explicit BodyReader(const BodyFraming& framing);

  /// Reads from the front of `octets` and appends what belongs to the body to `into`, until that has `most` octets.
  /// Returns how many it has read: all, unless `into` is full, the body has come to its end or is malformed.
  std::size_t read(std::string_view octets, std::string& into, std::size_t most);

  /// The whole body has been read, and with it the trailers.
  bool at_end() const { return state_ == State::end; }
  /// What is wrong with it; empty: nothing so far.
  std::string_view problem() const { return problem_; }

 private:
  enum class State {
    plain,             ///< octets up to the length
    first_digit,       ///< of a chunk's size
    size,              ///< more digits, or what is behind them
    before_extension,  ///< white space before a semicolon
    extension,
    size_line_feed,  ///< the end of that line
    data,
    data_return,  ///< the line end behind the data
    data_line_feed,
    trailer_begin,  ///< a field of the trailers, or the empty line
    trailer_name,
    trailer_value,
    trailer_line_feed,
    last_line_feed,  ///< of the empty line
    end,
    malformed
  };

  void step(char c);
  void size_digit(int digit);
  void go(State next) { state_ = next; }
  void skip(State next);
  void want(bool holds, State next, std::string_view otherwise);
  void malformed(std::string_view problem);

  State state_ = State::end;
  std::uint64_t left_ = 0;  ///< of the body, or of the chunk
  std::size_t skipped_ = 0;
  std::string_view problem_;
};

}  // namespace rw::http
