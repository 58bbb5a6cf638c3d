#include "call/placed_call.h"

#include "call/deciding.h"
#include "call/participant.h"

namespace rw::call {

void PlacedCall::taken() {
  participant().enter_ivr(std::nullopt);
}

void PlacedCall::failed(const End& end) {
  CallEvent event;
  event.event = "calledPartyFailure";
  event.participant = participant().id();
  event.user = participant().user();
  event.remote_user = participant().remote_user();
  event.end = end;
  services().application.notify(participant().application(), "callEvent",
                                call_event_body(services(), participant(), event));
}

}  // namespace rw::call
