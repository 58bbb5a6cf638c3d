#include "api/recording.h"

#include "api/answers.h"
#include "api/call_command.h"
#include "api/reply_subject.h"
#include "call/recording.h"

namespace rw::api {

void start_recording(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                     const http::Responder& respond) {
  JsonFields fields(body);
  auto subject = read_reply_subject(fields, deps.tokens, domain, deps.node_id);
  if (!subject) return respond(std::move(subject.error()));
  StartRecording command{std::move(*subject), fields.text("connectionId").value_or(""),
                         fields.text("recordingFileName").value_or("")};
  if (const auto valid = call::check_recording_name(command.file_name); !command.file_name.empty() && !valid)
    fields.reject("recordingFileName", "a file name; it " + valid.error().message);
  if (fields.error()) return respond(failure(400, fields.error()->message));
  execute(deps.calls, std::move(command), respond);
}

void stop_recording(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                    const http::Responder& respond) {
  JsonFields fields(body);
  auto subject = read_reply_subject(fields, deps.tokens, domain, deps.node_id);
  if (!subject) return respond(std::move(subject.error()));
  StopRecording command{std::move(*subject), fields.text("connectionId").value_or("")};
  if (fields.error()) return respond(failure(400, fields.error()->message));
  execute(deps.calls, std::move(command), respond);
}

}  // namespace rw::api
