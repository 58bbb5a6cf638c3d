#include "call/referring.h"

#include "call/participant.h"
#include "call/session.h"

namespace rw::call {

std::string replaced_participant(const Services& services, const sip::ReferReceived& refer) {
  const auto found = services.sip_legs.find(refer.replaces);
  const auto referrer = services.sip_legs.find(refer.leg);
  const bool known = found != services.sip_legs.end() && referrer != services.sip_legs.end();
  // Another customer's call is not there for this one.
  if (!known || found->second->session().domain() != referrer->second->session().domain()) return {};
  return found->second->id();
}

void Referring::stop(const End* end) {
  if (end == nullptr) notify(200);  // the application has found it another use
}

void Referring::message(const Letter& letter) {
  if (letter.from.participant != other_.participant) return;
  if (const auto* progress = std::get_if<ReferProgress>(&letter.message)) {
    notify(progress->status);
    if (progress->status / 100 == 2) participant_.hang_up(End{}, call_completed);
  } else if (std::holds_alternative<Left>(letter.message)) {
    notify(603);
    participant_.hang_up(End{}, call_completed);
  }
}

void Referring::notify(int status) {
  if (told_) return;
  told_ = status >= 200;
  services_.sip.notify_refer(leg_, status, services_.now);
}

}  // namespace rw::call
