#include "call/ivr_command.h"

#include <boost/json/array.hpp>
#include <cmath>

#include "base/json_fields.h"
#include "call/session_reference.h"

namespace rw::call {
namespace {

using std::chrono::milliseconds;

constexpr double longest_seconds = 24.0 * 3600;

std::optional<milliseconds> seconds(JsonFields& fields, std::string_view name) {
  const auto value = fields.number(name, 0, longest_seconds);
  if (!value) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(std::lround(*value * 1000)));
}

IvrCommand::Dtmf read_dtmf(const boost::json::object& object, JsonFields& parent) {
  JsonFields fields(object, "dtmf");
  IvrCommand::Dtmf dtmf;
  dtmf.flush = fields.flag("flush").value_or(false);
  if (const auto digits = fields.number("maxDigits", 1, 256)) dtmf.rule.max_digits = static_cast<std::size_t>(*digits);
  dtmf.rule.termination_keys = fields.text("terminationKey").value_or("");
  if (dtmf.rule.termination_keys.find_first_not_of("0123456789*#ABCD") != std::string::npos) {
    fields.reject("terminationKey", "characters of 0-9 * # A-D");
  }
  dtmf.first_timeout = seconds(fields, "firstTimeout").value_or(dtmf.first_timeout);
  dtmf.rule.between_timeout = seconds(fields, "betweenTimeout").value_or(dtmf.rule.between_timeout);
  if (const auto* encryption = fields.object("encryption"); encryption != nullptr && !encryption->empty()) {
    JsonFields of(*encryption, "dtmf.encryption");
    const auto type = of.choice("type", {"md5", "sha256"});
    if (!type) of.reject("type", "\"md5\" or \"sha256\"");
    dtmf.encryption = DtmfEncryption{type == "sha256" ? DtmfEncryption::Type::sha256 : DtmfEncryption::Type::md5,
                                     of.text("salt").value_or("")};
    if (of.error()) fields.reject(*of.error());
  }
  if (fields.error()) parent.reject(*fields.error());
  return dtmf;
}

std::optional<IvrCommand::Background> read_background(const boost::json::object& object, JsonFields& parent,
                                                      const PhraseContext& context) {
  JsonFields fields(object, "backgroundPrompt");
  IvrCommand::Background background;
  background.stop = fields.flag("stop").value_or(false);
  background.pause = seconds(fields, "repeatPause").value_or(milliseconds(0));
  if (!background.stop)
    background.source = read_phrase(object, "backgroundPrompt", {context.domain, context.tone_plan});
  if (fields.error()) parent.reject(*fields.error());
  if (!background.stop && is_unsaid(object)) return std::nullopt;
  return background;
}

/// Nothing if there is none.
Result<std::optional<Action>> read_ivr_action(const callbacks::Reply& reply, const PhraseContext& context,
                                              const ActionRules& rules) {
  auto action = read_action(reply, context, rules.domain, rules.drop_codes);
  if (action) return std::optional(std::move(*action));
  const auto& why = action.error();
  if (why.kind == NoDecision::Kind::no_action) return std::nullopt;
  if (why.kind == NoDecision::Kind::unknown_action)
    return fail("action: expected call, connect, httpcall, drop or ivr");
  return fail(std::string(why.details.at("description").as_string()));
}

/// What would go on in the IVR that `action` leaves.
void check_leaving(JsonFields& fields, const IvrCommand& command) {
  constexpr std::string_view none = "nothing beside an action that leaves the IVR";
  if (command.dtmf) fields.reject("dtmf", none);
  if (command.hang_up) fields.reject("hangup", none);
}

}  // namespace

Result<IvrCommand> read_ivr_command(const callbacks::Reply& answer, PhraseContext context, const ActionRules& rules) {
  const auto& reply = answer.body;
  JsonFields fields(reply);
  IvrCommand command;
  auto action = read_ivr_action(answer, context, rules);
  if (!action) return tl::unexpected(action.error());
  command.action = std::move(*action);
  context.may_record = true;
  if (const auto* array = fields.array("phrases")) {
    auto phrases = read_phrases(*array, "phrases", context);
    if (!phrases) return tl::unexpected(phrases.error());
    command.phrases = std::move(*phrases);
  }
  if (const auto* dtmf = fields.object("dtmf")) command.dtmf = read_dtmf(*dtmf, fields);
  if (const auto* background = fields.object("backgroundPrompt"); background != nullptr) {
    command.background = read_background(*background, fields, context);
  }
  const auto barge_in = fields.choice("bargeIn", {"none", "current", "all"});
  if (barge_in == "current") command.barge_in = IvrCommand::BargeIn::current;
  if (barge_in == "all") command.barge_in = IvrCommand::BargeIn::all;
  command.barge_in_on_digit = fields.choice("bargeInOn", {"digit", "match"}) == "digit";
  command.hang_up = fields.flag("hangup").value_or(false);
  command.recorded_callback = fields.flag("recordedCallback").value_or(false);
  command.ask_after = seconds(fields, "getIVRCommandAfter");
  // Beside digits that are to be waited for, no time is no limit: the reference's own sample.
  if (command.dtmf && command.ask_after == milliseconds(0)) command.ask_after.reset();
  command.session_reference = given_reference(reply);
  if (command.action && !std::holds_alternative<IvrAction>(*command.action)) check_leaving(fields, command);
  if (fields.error()) return tl::unexpected(*fields.error());
  return command;
}

}  // namespace rw::call
