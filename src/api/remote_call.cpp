#include "api/remote_call.h"

#include "api/answers.h"
#include "api/call_command.h"
#include "api/reply_subject.h"
#include "call/device_media.h"
#include "call/session_reference.h"
#include "http/url_pattern.h"

namespace rw::api {
namespace {

constexpr std::size_t longest_trace_id = 128;

/// The answer to a request with a member that can't be used.
http::Answer unusable(const JsonFields& fields) {
  return failure(fields.forbidden() ? 403 : 400, fields.error()->message);
}

/// The URL in the form in which it is used, if the domain allows it.
std::optional<std::string> allowed_callback(const tenant::Domain& domain, std::string_view url) {
  for (const auto& pattern : domain.allow_callbacks) {
    if (auto usable = http::matching_url(pattern, url)) return usable;
  }
  return std::nullopt;
}

/// The mediaservice that hears of the call: the one that is named, else the device's, else the domain's first.
std::shared_ptr<const tenant::Mediaservice> service_for(const tenant::Domain& domain, const std::string& named,
                                                        const std::string& source_user) {
  const auto* device = named.empty() ? domain.device(source_user) : nullptr;
  return domain.service(device == nullptr ? named : device->mediaservice);
}

}  // namespace

void place_remote_call(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                       const http::Responder& respond) {
  JsonFields fields(body);
  PlaceRemoteCall command;
  auto& call = command.order.call;
  call.destination = call::read_remote_destination(fields);
  command.order.audio = call::read_device_audio(fields, domain);
  call.trace_id = fields.text("traceId").value_or("");
  if (call.trace_id.size() > longest_trace_id) fields.reject("traceId", "at most 128 characters");
  call.session_reference = call::given_reference(body);
  const auto named = fields.text("mediaserviceId").value_or("");
  const auto base = fields.text("callbackBaseUrl");
  if (fields.error()) return respond(unusable(fields));
  call.service = service_for(domain, named, call.destination.headers.sip_from.value_or(""));
  if (!call.service) return respond(failure(404, "mediaserviceId: the domain has no such mediaservice"));
  if (base) {
    auto url = allowed_callback(domain, *base);
    if (!url) return respond(failure(403, "callbackBaseUrl: the domain does not allow this URL"));
    call.service = tenant::with_base(*call.service, std::move(*url));
  }
  execute(deps.calls, std::move(command), respond);
}

void answer_remote_call(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                        const http::Responder& respond) {
  JsonFields fields(body);
  auto subject = read_reply_subject(fields, deps.tokens, domain, deps.node_id);
  if (!subject) return respond(std::move(subject.error()));
  AnswerRemoteCall command{std::move(*subject), call::read_device_audio(fields, domain), call::given_reference(body)};
  if (fields.error()) return respond(unusable(fields));
  execute(deps.calls, std::move(command), respond);
}

void send_remote_call_ringback(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                               const http::Responder& respond) {
  JsonFields fields(body);
  auto subject = read_reply_subject(fields, deps.tokens, domain, deps.node_id);
  if (!subject) return respond(std::move(subject.error()));
  execute(deps.calls, SendRemoteCallRingback{std::move(*subject)}, respond);
}

}  // namespace rw::api
