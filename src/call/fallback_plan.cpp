#include "call/fallback_plan.h"

namespace rw::call {
namespace {

constexpr std::string_view action_path = "command.action";

/// The errors of those who read the action's members name them without where they stand.
Error below(std::string_view path, const Error& error) {
  return Error{std::string(path) + "." + error.message};
}

Result<Phrases> read_all(JsonFields& fields, const PhraseContext& context) {
  const auto* array = fields.array("phrases");
  if (array == nullptr) return Phrases{};
  auto phrases = read_phrases(*array, fields.path("phrases"), context);
  if (!phrases) return phrases;
  for (const auto& one : *phrases) {
    if (const auto* bad = std::get_if<BadPhrase>(&one)) return fail(bad->problem);
  }
  return phrases;
}

Result<CallPlan> read_call(const boost::json::object& action, const PhraseContext& context) {
  auto plan = read_call_plan(action, context);
  if (!plan) return tl::unexpected(below(action_path, plan.error()));
  for (const auto& [field, address] : plan->unusable)
    return fail(std::string(action_path) + "." + field + ": expected a sip:, sips: or tel: URI");
  if (plan->destinations.empty()) return fail(std::string(action_path) + ".destAddr: missing");
  return plan;
}

}  // namespace

Result<FallbackPlan> read_fallback_command(const boost::json::object& command, const PhraseContext& context) {
  JsonFields fields(command, "command");
  FallbackPlan plan;
  const auto* action = fields.object("action");
  if (fields.error()) return tl::unexpected(*fields.error());
  if (action == nullptr) return fail("command.action: missing");
  JsonFields members(*action, std::string(action_path));
  const auto type = members.choice("type", {"call", "hangup"});
  if (!type) members.reject("type", "\"call\" or \"hangup\"");
  if (members.error()) return tl::unexpected(*members.error());
  auto phrases = read_all(fields, context);
  if (!phrases) return tl::unexpected(phrases.error());
  if (fields.error()) return tl::unexpected(*fields.error());
  plan.phrases = std::move(*phrases);
  if (*type == "call") {
    auto call = read_call(*action, context);
    if (!call) return tl::unexpected(call.error());
    plan.call = std::move(*call);
  }
  return plan;
}

}  // namespace rw::call
