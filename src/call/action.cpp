#include "call/action.h"

#include "base/json_fields.h"
#include "base/utf8.h"
#include "call/device_media.h"

namespace rw::call {
namespace {

tl::unexpected<NoDecision> none(NoDecision::Kind kind, boost::json::object details) {
  return tl::unexpected<NoDecision>(NoDecision{kind, std::move(details)});
}

/// `message` is "<field>: <what is wrong with it>".
tl::unexpected<NoDecision> unusable(const std::string& message, int status) {
  boost::json::object details{{"field", message.substr(0, message.find(": "))}, {"description", message}};
  if (status != 0) details["status"] = status;
  return none(NoDecision::Kind::failed, std::move(details));
}

std::optional<RecordingWish> read_recording(JsonFields& fields) {
  const auto name = fields.text("recordingFileName").value_or("");
  if (!fields.flag("callRecording").value_or(false)) return std::nullopt;
  if (const auto valid = check_recording_name(name); !name.empty() && !valid)
    fields.reject("recordingFileName", "a file name; it " + valid.error().message);
  return RecordingWish{name};
}

}  // namespace

boost::json::object details_of(const callbacks::Failure& failure) {
  boost::json::object details{{"url", failure.url}, {"description", failure.detail}};
  if (failure.status != 0) details["status"] = failure.status;
  return details;
}

tl::expected<Action, NoDecision> read_action(const tl::expected<callbacks::Reply, callbacks::Failure>& reply,
                                             const PhraseContext& context, const tenant::Domain* domain,
                                             const DropCodes& drop_codes) {
  if (reply) return read_action(*reply, context, domain, drop_codes);
  const bool empty = reply.error().kind == callbacks::Failure::Kind::empty;
  return none(empty ? NoDecision::Kind::empty : NoDecision::Kind::failed, details_of(reply.error()));
}

tl::expected<Action, NoDecision> read_action(const callbacks::Reply& reply, const PhraseContext& context,
                                             const tenant::Domain* domain, const DropCodes& drop_codes) {
  constexpr std::size_t longest_quote = 100;
  JsonFields fields(reply.body);
  const auto action = fields.text("action");
  if (fields.error()) return unusable(fields.error()->message, reply.status);
  if (!action || action->empty()) return none(NoDecision::Kind::no_action, {{"field", "action"}});
  auto recording = read_recording(fields);
  if (fields.error()) return unusable(fields.error()->message, reply.status);
  if (*action == "ivr") return IvrAction{std::move(recording)};
  if (*action == "drop") {
    const auto code = fields.text("dropCode").value_or("");
    const auto refusal = refusal_for(code, drop_codes);
    if (!refusal)
      return unusable("dropCode: unknown code " + std::string(utf8_prefix(code, longest_quote)), reply.status);
    if (fields.error()) return unusable(fields.error()->message, reply.status);
    return DropAction{*refusal};
  }
  if (*action == "connect") {
    auto participant = fields.text("participantId").value_or("");
    if (participant.empty()) fields.reject("participantId", "the id of the participant to connect with");
    if (fields.error()) return unusable(fields.error()->message, reply.status);
    return ConnectAction{std::move(participant), std::move(recording)};
  }
  if (*action == "httpcall") {
    if (domain == nullptr) return unusable("action: the domain is not served any more", reply.status);
    auto device = read_device_audio(fields, *domain);
    if (fields.error()) return unusable(fields.error()->message, reply.status);
    return HttpCallAction{std::move(device), std::move(recording)};
  }
  if (*action == "call") {
    auto plan = read_call_plan(reply.body, context);
    if (!plan) return unusable(plan.error().message, reply.status);
    plan->recording = std::move(recording);
    return Action(std::move(*plan));
  }
  return none(NoDecision::Kind::unknown_action, {{"field", "action"}, {"action", utf8_prefix(*action, longest_quote)}});
}

}  // namespace rw::call
