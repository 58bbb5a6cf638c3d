#include "api/hang_up_remote_participant.h"

#include "api/answers.h"
#include "api/call_command.h"
#include "api/reply_subject.h"

namespace rw::api {

void hang_up_remote_participant(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                                const http::Responder& respond) {
  JsonFields fields(body);
  auto subject = read_reply_subject(fields, deps.tokens, domain, deps.node_id);
  if (!subject) return respond(std::move(subject.error()));
  HangUpRemoteParticipant command{std::move(*subject), fields.text("participantId").value_or("")};
  if (fields.error()) return respond(failure(400, fields.error()->message));
  execute(deps.calls, std::move(command), respond);
}

}  // namespace rw::api
