#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "call/activity.h"
#include "call/call_event.h"
#include "call/services.h"

namespace rw::call {

class Participant;

/// One half of a connection of two participants, whatever their media does. The halves know each other by letters only
/// (party.h): who leaves tells the other, and the application is asked what becomes of whom is left (callEvent).
class Half : public Activity {
 public:
  enum class Role : std::uint8_t { calling, called };
  struct Place {
    Role role = Role::calling;
    PartyFacts peer;
    std::string connection;
  };

  Half(Services& services, Participant& participant, Place place)
      : services_(services), participant_(participant), place_(std::move(place)) {}

  void begin() override;
  void stop(const End* end) override;
  void message(const Letter& letter) override;
  bool split() override;
  bool hang_up_remote(const End& end) override;

 protected:
  bool is_calling() const { return place_.role == Role::calling; }
  PartyFacts& peer() { return place_.peer; }
  const PartyFacts& peer() const { return place_.peer; }
  const std::string& connection() const { return place_.connection; }
  void send(PartyMessage message);
  /// The other half needs no word of it when this one is left.
  void leave_quietly() { peer_knows_ = true; }
  CallEvent event(std::string_view name, bool caused_by_peer, const End& end) const;

  Services& services_;
  Participant& participant_;

 private:
  /// The participant, which comes to that end, never came to be a party of the connection.
  virtual bool set_up_failed(const End& /*end*/) const { return false; }
  /// A letter of the other half that is not about leaving.
  virtual void peer_says(const Letter& /*letter*/) {}
  /// The connection is over, and the participant still there.
  virtual void left(const CallEvent& event);
  void ask_after_split();

  Place place_;
  bool peer_knows_ = false;  ///< that this half has left
  bool stopped_ = false;
};

}  // namespace rw::call
