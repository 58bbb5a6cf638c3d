#include "api/call_command.h"

#include "api/answers.h"

namespace rw::api {

void execute(CallControl& calls, CallCommand command, const http::Responder& respond) {
  calls.execute(std::move(command), [respond](CommandResult result) {
    if (result.status != 200) {
      respond(failure(result.status, result.error, result.reason, result.retry_after));
      return;
    }
    const auto* session = result.extra.if_contains("sessionId");
    std::string about(session != nullptr && session->is_string() ? session->get_string() : boost::json::string());
    auto answer = success(std::move(result.extra));
    answer.about = std::move(about);
    respond(std::move(answer));
  });
}

}  // namespace rw::api
