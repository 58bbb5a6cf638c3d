#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rw::sip {

/// Bounds on what is read from the network.
inline constexpr std::size_t max_message_bytes = 64 * 1024;
inline constexpr std::size_t max_headers = 200;
inline constexpr std::size_t max_header_bytes = 8 * 1024;

/// A SIP request or response (RFC 3261 section 7), headers in the order in which they stand on the wire.
class Message {
 public:
  /// A whole message, body included. The error says what is wrong, for the log and the 400's reason.
  static Result<Message> parse(std::string_view text);
  /// The same, but `body`, a part of `text`, is only looked for: keep_body() copies it, if anybody wants it.
  static Result<Message> parse_head(std::string_view text, std::string_view& body);
  static Message request(std::string method, std::string request_uri);
  static Message response(int status, std::string reason_phrase = {});  ///< empty: the RFC's own phrase

  bool is_request() const { return status_ == 0; }
  const std::string& method() const { return method_; }            ///< of a request
  const std::string& request_uri() const { return request_uri_; }  ///< of a request
  int status() const { return status_; }                           ///< of a response, else 0
  const std::string& reason_phrase() const { return reason_phrase_; }
  const std::string& body() const { return body_; }
  void set_body(std::string body, std::string_view content_type);
  void keep_body(std::string_view body) { body_ = body; }  ///< as it came, whatever the headers say of it

  /// The first header of that name (long form; compact forms were expanded when parsed; no regard to case), or null.
  const std::string* header(std::string_view name) const;
  /// The values of all headers of that name, each as it stands on its line.
  std::vector<std::string_view> headers(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all_headers() const { return headers_; }
  void add(std::string name, std::string value);
  void add_first(std::string name, std::string value);
  void set(std::string_view name, std::string value);  ///< replaces all of that name
  void remove(std::string_view name);

  std::string serialise() const;  ///< with Content-Length

 private:
  std::string method_, request_uri_, reason_phrase_, body_;
  int status_ = 0;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace rw::sip
