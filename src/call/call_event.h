#pragma once

#include <string>
#include <string_view>

#include "call/outcome.h"

namespace rw::call {

/// What happened, for callEvent (section 5 of the behaviour).
struct CallEvent {
  std::string_view event;         ///< "calledPartyDrop", …
  std::string participant, user;  ///< who caused it
  std::string remote_participant, remote_user;
  std::string connection;  ///< that the participant was in
  End end;
  std::string refer_to, referred_by, replaces;  ///< of "refer"

  /// The other party has gone.
  bool is_drop() const { return event == "callingPartyDrop" || event == "calledPartyDrop"; }
};

}  // namespace rw::call
