#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "call/call_event.h"
#include "call/call_plan.h"
#include "call/phrase.h"
#include "tenant/fallback.h"

/// What is done with a caller whose application is away (section 9 of the behaviour): phrases, then one action.
namespace rw::call {

class Participant;
struct Services;

struct FallbackCommand {
  Phrases phrases;
  std::optional<CallPlan> call;  ///< nothing: hang up
};

/// Reads and checks the whole `command` of an entry: each phrase and each address has to be usable. The error names the
/// member, beginning with "command.".
Result<FallbackCommand> read_fallback_command(const boost::json::object& command, const PhraseContext& context);

/// Of a new call: begins the fallback if the called number's entry is to be used without asking the application. False:
/// there is none, and nothing has been done.
bool fall_back_always(Services& services, Participant& caller);

/// No usable decision about the participant has come. The caller of a session, if its called number has an entry and
/// none has been used in this session, gets the fallback; everybody else the default: 480 or BYE.
void without_decision(Services& services, Participant& participant);

/// Whether the application is not asked about that event any more, because its fallback has been used: a party has
/// gone, or could not be reached. Then the participant has been hung up.
bool ends_after_fallback(Participant& participant, const CallEvent& event);

}  // namespace rw::call
