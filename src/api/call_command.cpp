#include "api/call_command.h"

#include "api/answers.h"

namespace rw::api {

void execute(CallControl& calls, CallCommand command, const http::Responder& respond) {
  calls.execute(std::move(command), [respond](CommandResult result) {
    respond(result.status == 200 ? success(std::move(result.extra))
                                 : failure(result.status, result.error, result.reason, result.retry_after));
  });
}

}  // namespace rw::api
