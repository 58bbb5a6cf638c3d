#include "http/answer_message.h"

#include <array>
#include <ctime>

#include "http/byte_range.h"

namespace rw::http {

namespace {

void select_range(AnswerMessage& out, Answer& answer, const ServerOptions& options, std::string_view range) {
  const auto size = answer.source->size();
  out.left = size;
  if (answer.status != 200) return;
  answer.headers.emplace_back("Accept-Ranges", "bytes");
  const auto wanted = read_range(range, size);
  if (!wanted.satisfiable) {
    answer = error_answer(options, 416, "Range: the file has " + std::to_string(size) + " bytes");
    answer.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
    out.left = 0;
  } else if (wanted.range) {
    answer.status = 206;
    out.offset = wanted.range->first;
    out.left = wanted.range->length;
    answer.headers.emplace_back("Content-Range", "bytes " + std::to_string(out.offset) + "-" +
                                                     std::to_string(out.offset + out.left - 1) + "/" +
                                                     std::to_string(size));
  }
}

}  // namespace

Answer error_answer(const ServerOptions& options, int status, std::string reason) {
  if (options.error) return options.error(status, std::move(reason));
  return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = reason + "\n", .source = {}};
}

std::string http_date(std::chrono::system_clock::time_point time) {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> clock{};
  const auto length = std::strftime(clock.data(), clock.size(), " %Y %H:%M:%S GMT", &utc);
  const auto day = std::to_string(utc.tm_mday);
  return std::string(days[static_cast<std::size_t>(utc.tm_wday)]) + ", " + (day.size() < 2 ? "0" : "") + day + " " +
         months[static_cast<std::size_t>(utc.tm_mon)] + std::string(clock.data(), length);
}

AnswerMessage make_message(Answer& answer, const ServerOptions& options, bool keep_alive, std::string_view range) {
  AnswerMessage out;
  if (answer.source) select_range(out, answer, options, range);
  auto& message = out.message;
  message.version(11);
  message.result(static_cast<unsigned>(answer.status));
  for (const auto& [name, value] : answer.headers) message.set(name, value);
  for (const auto& [name, value] : options.headers) message.set(name, value);
  message.set(boost::beast::http::field::date, http_date(std::chrono::system_clock::now()));
  message.keep_alive(keep_alive);
  message.content_length(answer.source ? out.left : answer.body.size());
  auto& body = message.body();
  body.more = answer.source != nullptr;
  body.data = body.more || answer.body.empty() ? nullptr : answer.body.data();
  body.size = body.data == nullptr ? 0 : answer.body.size();
  return out;
}

}  // namespace rw::http
