#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "http/exchange.h"
#include "http/server.h"

namespace rw::http {

/// An answer on its way out: its head, and which bytes of its source belong to it.
struct AnswerMessage {
  boost::beast::http::response<boost::beast::http::buffer_body> message;
  std::uint64_t offset = 0;
  std::uint64_t left = 0;  ///< of the source; 0 if there is none
};

/// `range`: the request's Range header, or empty. A range that can't be satisfied turns `answer` into a 416.
AnswerMessage make_message(Answer& answer, const ServerOptions& options, bool keep_alive, std::string_view range);

/// By the options, or plain text where they don't say.
Answer error_answer(const ServerOptions& options, int status, std::string reason);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string http_date(std::chrono::system_clock::time_point time);

}  // namespace rw::http
