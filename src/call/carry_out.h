#pragma once

#include <string>
#include <string_view>

#include "call/action.h"
#include "call/outcome.h"

namespace rw::call {

class Participant;
struct Services;

/// The question that an action answers.
struct Question {
  std::string_view alarm_type, alarm_error;  ///< of an action that can't be done
  EndReason reason_if_dropped = EndReason::rejected;
  std::string replaces = {};  ///< participant whose place an attended transfer wants to be taken, or empty
};

/// Does with the participant what the application has decided: whatever it was in before, it has left that afterwards.
/// What can't be done raises an alarm, and is as good as no decision.
void carry_out(Services& services, Participant& participant, const Action& action, const Question& question);

}  // namespace rw::call
