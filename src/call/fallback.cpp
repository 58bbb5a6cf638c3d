#include "call/fallback.h"

#include <boost/json/parse.hpp>
#include <utility>

#include "call/falling_back.h"
#include "call/participant.h"

namespace rw::call {
namespace {

constexpr std::string_view path = "command";

tl::unexpected<Error> in_action(const std::string& problem) {
  return fail(std::string(path) + ".action." + problem);
}

Result<Phrases> read_usable_phrases(JsonFields& fields, const PhraseContext& context) {
  const auto* array = fields.array("phrases");
  if (fields.error()) return tl::unexpected(*fields.error());
  if (array == nullptr) return Phrases{};
  auto phrases = read_phrases(*array, fields.path("phrases"), context);
  if (!phrases) return phrases;
  for (const auto& phrase : *phrases) {
    if (const auto* bad = std::get_if<BadPhrase>(&phrase)) return fail(bad->problem);
  }
  return phrases;
}

Result<std::optional<CallPlan>> read_fallback_action(JsonFields& fields, const PhraseContext& context) {
  const auto* object = fields.object("action");
  if (object == nullptr) fields.reject("action", "an object with \"type\"");
  if (fields.error()) return tl::unexpected(*fields.error());
  JsonFields action(*object, fields.path("action"));
  const auto type = action.choice("type", {"call", "hangup"});
  if (!type) action.reject("type", "\"call\" or \"hangup\"");
  if (action.error()) return tl::unexpected(*action.error());
  if (type == "hangup") return std::nullopt;
  auto plan = read_call_plan(*object, context);
  if (!plan) return in_action(plan.error().message);
  if (!plan->unusable.empty()) return in_action(plan->unusable.front().field + ": expected a sip:, sips: or tel: URI");
  return std::optional(std::move(*plan));
}

boost::json::object details_of(const tenant::Fallback& entry, const Participant& caller) {
  boost::json::object details{{"calledParty", caller.remote_user()}, {"mode", to_string(entry.mode)}};
  if (!entry.number.empty()) details["number"] = entry.number;
  details["description"] = entry.number.empty() ? "the domain's entry for all numbers" : "the number's own entry";
  return details;
}

/// The entry that stands for the called number of the session, if there is one.
std::shared_ptr<const tenant::Fallback> entry_for(const Services& services, const Session& session) {
  if (!services.fallback || session.inbound() == nullptr) return nullptr;
  return services.fallback(session.domain(), session.inbound()->called_party);
}

/// Why the session ends if the action is to hang up: because the application failed; or as by `drop` and `hangup:true`.
EndReason reason_of_hang_up(bool by_error, const FallbackCommand& command) {
  if (by_error) return EndReason::error;
  return command.phrases.empty() ? EndReason::rejected : EndReason::normal;
}

/// Begins what the entry says. False: it can't be read by this version, which is told.
bool fall_back(Services& services, Participant& caller, const tenant::Fallback& entry, bool by_error) {
  boost::system::error_code unreadable;
  const auto value = boost::json::parse(entry.command, unreadable);
  Result<FallbackCommand> command = fail("it is no JSON object");
  if (!unreadable && value.is_object()) command = read_fallback_command(value.get_object(), caller.phrase_context());
  if (!command) {
    caller.session().log().error("the fallback can't be used", {ops::text("why", command.error().message)});
    return false;
  }
  caller.session().set_fallen_back();
  caller.alarm("emergencyFallback", by_error ? "triggeredByError" : "triggeredByAlways", details_of(entry, caller));
  const auto reason = reason_of_hang_up(by_error, *command);
  caller.change(std::make_unique<FallingBack>(services, caller, std::move(*command), reason));
  return true;
}

}  // namespace

Result<FallbackCommand> read_fallback_command(const boost::json::object& command, const PhraseContext& context) {
  JsonFields fields(command, std::string(path));
  FallbackCommand read;
  auto action = read_fallback_action(fields, context);
  if (!action) return tl::unexpected(action.error());
  read.call = std::move(*action);
  auto phrases = read_usable_phrases(fields, context);
  if (!phrases) return tl::unexpected(phrases.error());
  read.phrases = std::move(*phrases);
  return read;
}

bool fall_back_always(Services& services, Participant& caller) {
  const auto entry = entry_for(services, caller.session());
  if (!entry || entry->mode != tenant::Fallback::Mode::always) return false;
  return fall_back(services, caller, *entry, false);
}

void without_decision(Services& services, Participant& participant) {
  if (participant.is_inbound() && !participant.session().fallen_back()) {
    const auto entry = entry_for(services, participant.session());
    if (entry && fall_back(services, participant, *entry, true)) return;
  }
  participant.hang_up(EndReason::error);
}

bool ends_after_fallback(Participant& participant, const CallEvent& event) {
  if (!participant.session().fallen_back()) return false;
  if (event.event.ends_with("Drop")) {
    participant.hang_up(End{event.end.reason, 0, {}, {}}, call_completed);
  } else if (event.event.ends_with("Failure")) {
    participant.hang_up(End{event.end.reason, 0, {}, {}}, no_decision);
  } else {
    return false;  // the application has made the event itself, or has allowed it: it is there
  }
  return true;
}

}  // namespace rw::call
