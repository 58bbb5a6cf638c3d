#pragma once

#include "call/activity.h"
#include "call/services.h"

namespace rw::call {

class Participant;

/// The activity of a participant that has asked by REFER for the other party to be called on (RFC 3515). It is told how
/// that gets on; when it has succeeded, its own leg is ended, and when not, it waits for whatever the application does
/// with it.
class Referring final : public Activity {
 public:
  Referring(Services& services, Participant& participant, sip::LegId leg, PartyAddress other)
      : services_(services), participant_(participant), leg_(leg), other_(std::move(other)) {}

  std::string_view name() const override { return "Referring"; }
  void stop(const End* end) override;
  void message(const Letter& letter) override;
  bool may_be_connected(const PartyAddress& /*by*/) const override { return true; }

 private:
  void notify(int status);

  Services& services_;
  Participant& participant_;
  const sip::LegId leg_;
  const PartyAddress other_;
  bool told_ = false;  ///< the last NOTIFY has been sent
};

/// Of an attended transfer: the participant whose place is to be taken; empty: none, or none of ours.
std::string replaced_participant(const Services& services, const sip::ReferReceived& refer);

}  // namespace rw::call
