#include "api/place_ivr_call.h"

#include "api/answers.h"
#include "api/call_command.h"
#include "call/session_reference.h"

namespace rw::api {

void place_ivr_call(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                    const http::Responder& respond) {
  constexpr std::size_t longest_trace_id = 128;
  JsonFields fields(body);
  const auto service_id = fields.text("mediaserviceId").value_or("");
  auto trace_id = fields.text("traceId").value_or("");
  if (trace_id.size() > longest_trace_id) fields.reject("traceId", "at most 128 characters");
  if (fields.error()) return respond(failure(400, fields.error()->message));
  auto destination = call::read_destination(body);
  if (!destination) return respond(failure(400, destination.error().message));
  auto service = domain.service(service_id);
  if (!service) return respond(failure(404, "mediaserviceId: the domain has no such mediaservice"));
  PlaceIvrCall command{{std::move(service), std::move(*destination), std::move(trace_id), call::given_reference(body)}};
  execute(deps.calls, std::move(command), respond);
}

}  // namespace rw::api
