#include "call/half.h"

#include <utility>

#include "call/participant.h"

namespace rw::call {
namespace {

/// What the other party's end is for the application.
std::string_view name_of(const Left& left, bool other_was_called) {
  if (left.set_up_failed) return other_was_called ? "calledPartyFailure" : "callingPartyFailure";
  return other_was_called ? "calledPartyDrop" : "callingPartyDrop";
}

}  // namespace

void Half::begin() {
  participant_.stop_ringback();
  participant_.tell_referrer(200);
  participant_.set_connection(place_.connection, place_.peer.address.participant, place_.peer.user);
}

void Half::stop(const End* end) {
  if (std::exchange(stopped_, true) || std::exchange(peer_knows_, true)) return;
  if (end != nullptr) {
    send(Left{*end, set_up_failed(*end)});
  } else {
    send(Split{});
  }
}

void Half::message(const Letter& letter) {
  if (letter.from.participant != place_.peer.address.participant) return;  // of an earlier connection
  if (const auto* gone = std::get_if<Left>(&letter.message)) {
    peer_knows_ = true;
    left(event(name_of(*gone, is_calling()), true, gone->end));
  } else if (std::holds_alternative<Split>(letter.message)) {
    peer_knows_ = true;
    ask_after_split();
  } else if (const auto* hang_up = std::get_if<HangUp>(&letter.message)) {
    participant_.hang_up(hang_up->end, {480, "Hung up by the application"});
  } else {
    peer_says(letter);
  }
}

bool Half::split() {
  ask_after_split();  // leaving this activity tells the other half
  return true;
}

void Half::ask_after_split() {
  left(event(is_calling() ? "callerConnectionSplit" : "calleeConnectionSplit", false, End{}));
}

bool Half::hang_up_remote(const End& end) {
  send(HangUp{end});
  return true;
}

void Half::send(PartyMessage message) {
  participant_.send(place_.peer.address, std::move(message));
}

void Half::left(const CallEvent& event) {
  participant_.decide(event);
}

CallEvent Half::event(std::string_view name, bool caused_by_peer, const End& end) const {
  CallEvent about;
  about.event = name;
  about.connection = place_.connection;
  about.end = end;
  about.participant = participant_.id();
  about.user = participant_.user();
  about.remote_participant = place_.peer.address.participant;
  about.remote_user = place_.peer.user;
  if (caused_by_peer) {
    std::swap(about.participant, about.remote_participant);
    std::swap(about.user, about.remote_user);
  }
  return about;
}

}  // namespace rw::call
