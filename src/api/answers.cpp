#include "api/answers.h"

#include <array>
#include <boost/json/serialize.hpp>
#include <utility>

namespace rw::api {
namespace {

/// The stable codes: programs may depend on them.
std::string_view code_of(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 18> table{{
      {400, "invalid"},
      {401, "unauthorized"},
      {403, "forbidden"},
      {404, "notFound"},
      {405, "methodNotAllowed"},
      {408, "timeout"},
      {409, "wrongState"},
      {411, "lengthRequired"},
      {412, "preconditionFailed"},
      {413, "tooLarge"},
      {415, "unsupportedMedia"},
      {416, "rangeNotSatisfiable"},
      {429, "rateLimited"},
      {431, "headTooLarge"},
      {501, "notImplemented"},
      {502, "badGateway"},
      {503, "unavailable"},
      {507, "insufficientStorage"},
  }};
  for (const auto& [number, code] : table) {
    if (number == status) return code;
  }
  return "internal";
}

}  // namespace

http::Answer json_answer(int status, const boost::json::object& body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = boost::json::serialize(body),
          .source = {}};
}

http::Answer success(boost::json::object members) {
  members["success"] = true;
  return json_answer(200, members);
}

http::Answer failure(int status, std::string_view reason) {
  return failure(status, code_of(status), reason);
}

http::Answer failure(int status, std::string_view code, std::string_view reason, int retry_after) {
  constexpr int usual_retry_after = 5;
  auto answer = json_answer(status, {{"success", false}, {"error", code}, {"reason", reason}});
  answer.refused_because = reason;
  if (status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503)
    answer.headers.emplace_back("Retry-After", std::to_string(retry_after > 0 ? retry_after : usual_retry_after));
  return answer;
}

}  // namespace rw::api
