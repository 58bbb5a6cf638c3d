#include "api/hang_up_call.h"

#include "api/answers.h"
#include "api/call_command.h"
#include "api/reply_subject.h"

namespace rw::api {

void hang_up_call(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                  const http::Responder& respond) {
  JsonFields fields(body);
  auto subject = read_reply_subject(fields, deps.tokens, domain, deps.node_id);
  if (!subject) return respond(std::move(subject.error()));
  HangUpCall command{std::move(*subject)};
  if (fields.error()) return respond(failure(400, fields.error()->message));
  execute(deps.calls, std::move(command), respond);
}

}  // namespace rw::api
