#include "http/request_body.h"

#include <algorithm>
#include <boost/beast/http/field.hpp>
#include <limits>
#include <vector>

#include "base/ascii.h"

namespace rw::http {
namespace {

using boost::beast::http::field;
using Head = boost::beast::http::request_header<boost::beast::http::fields>;

std::string_view without_padding(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// The value of a hexadecimal digit, or -1.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// A character of a token (RFC 9110 5.6.2).
bool is_token(char c) {
  const char lower = to_lower(c);
  return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// What may stand in a line: anything but controls.
bool is_text(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
}

/// In their order, over all lines.
std::vector<std::string_view> transfer_codings(const Head& head) {
  std::vector<std::string_view> codings;
  const auto [first, end] = head.equal_range(field::transfer_encoding);
  for (auto line = first; line != end; ++line) {
    const std::string_view list(line->value());
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t comma = std::min(list.find(',', at), list.size());
      if (const auto coding = without_padding(list.substr(at, comma - at)); !coding.empty()) codings.push_back(coding);
      at = comma + 1;
    }
  }
  return codings;
}

}  // namespace

tl::expected<BodyFraming, FramingFault> body_framing(
    const boost::beast::http::request_header<boost::beast::http::fields>& head, bool has_length, std::uint64_t length) {
  if (head.count(field::transfer_encoding) == 0) return BodyFraming{false, has_length, has_length ? length : 0};
  const auto refuse = [](int status, std::string reason) {
    return tl::unexpected(FramingFault{status, std::move(reason)});
  };
  if (head.count(field::content_length) > 0)
    return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
  if (head.version() < 11) return refuse(400, "Transfer-Encoding: HTTP/1.0 has none");
  const auto codings = transfer_codings(head);
  const auto is_chunked = [](std::string_view coding) { return same_letters(coding, "chunked"); };
  if (codings.empty() || !is_chunked(codings.back()) || std::ranges::count_if(codings, is_chunked) > 1)
    return refuse(400, "Transfer-Encoding: expected chunked, once and at the end: nothing else says where a body ends");
  if (codings.size() > 1) return refuse(501, "Transfer-Encoding: no coding but chunked is known here");
  return BodyFraming{.chunked = true};
}

BodyReader::BodyReader(const BodyFraming& framing) : left_(framing.length) {
  if (framing.chunked) {
    state_ = State::first_digit;
  } else if (framing.length > 0) {
    state_ = State::plain;
  }
}

std::size_t BodyReader::read(std::string_view octets, std::string& into, std::size_t most) {
  std::size_t at = 0;
  while (at < octets.size() && into.size() < most && state_ != State::end && state_ != State::malformed) {
    if (state_ != State::plain && state_ != State::data) {
      step(octets[at++]);
      continue;
    }
    const auto piece = octets.substr(at, std::min<std::uint64_t>(left_, most - into.size()));
    into.append(piece);
    at += piece.size();
    left_ -= piece.size();
    if (left_ == 0) state_ = state_ == State::plain ? State::end : State::data_return;
  }
  return at;
}

/// One octet of what is around the data.
void BodyReader::step(char c) {
  switch (state_) {
    case State::first_digit:
      left_ = 0;
      return hex_digit(c) < 0 ? malformed("a chunk's size is no number") : size_digit(hex_digit(c));
    case State::size:
      if (hex_digit(c) >= 0) return size_digit(hex_digit(c));
      if (c == '\r') return go(State::size_line_feed);
      [[fallthrough]];
    case State::before_extension:
      if (c == ' ' || c == '\t') return skip(State::before_extension);
      return c == ';' ? skip(State::extension) : malformed("something stands behind a chunk's size");
    case State::extension:
      if (c == '\r') return go(State::size_line_feed);
      return is_text(c) ? skip(State::extension) : malformed("a control character in a chunk's extension");
    case State::size_line_feed:
      return want(c == '\n', left_ > 0 ? State::data : State::trailer_begin, "a line of chunks without CRLF");
    case State::data_return:
      return want(c == '\r', State::data_line_feed, "a chunk is longer than its size");
    case State::data_line_feed:
      return want(c == '\n', State::first_digit, "a chunk is longer than its size");
    case State::trailer_begin:
      if (c == '\r') return go(State::last_line_feed);
      return is_token(c) ? skip(State::trailer_name) : malformed("a trailer has no name");
    case State::trailer_name:
      if (c == ':') return skip(State::trailer_value);
      return is_token(c) ? skip(State::trailer_name) : malformed("a trailer is no field");
    case State::trailer_value:
      if (c == '\r') return go(State::trailer_line_feed);
      return is_text(c) ? skip(State::trailer_value) : malformed("a control character in a trailer");
    case State::trailer_line_feed:
      return want(c == '\n', State::trailer_begin, "a trailer without CRLF");
    case State::last_line_feed:
      return want(c == '\n', State::end, "the trailers end without CRLF");
    case State::plain:
    case State::data:
    case State::end:
    case State::malformed:
      return;
  }
}

void BodyReader::size_digit(int digit) {
  if (left_ > std::numeric_limits<std::uint64_t>::max() / 16) return malformed("a chunk's size is too large");
  if (left_ == 0 && state_ == State::size) skip(State::size);  // leading zeros have no end of their own
  if (state_ == State::malformed) return;
  left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
  state_ = State::size;
}

void BodyReader::skip(State next) {
  want(++skipped_ <= most_skipped, next, "over 16 KB of extensions and trailers");
}

void BodyReader::want(bool holds, State next, std::string_view otherwise) {
  holds ? go(next) : malformed(otherwise);
}

void BodyReader::malformed(std::string_view problem) {
  state_ = State::malformed;
  problem_ = problem;
}

}  // namespace rw::http
