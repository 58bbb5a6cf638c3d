#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "call/outcome.h"
#include "call/party.h"
#include "media/engine.h"
#include "sip/user_agent.h"

namespace rw::call {

/// What a participant is in at any time: exactly one. Inputs that an activity has no use for are none of its business.
/// An activity that has been replaced lives on until nothing of it is on the stack.
class Activity {
 public:
  virtual ~Activity() = default;
  virtual std::string_view name() const = 0;

  /// The participant is in it from now on.
  virtual void begin() {}
  /// The participant leaves it: for another activity, or, with `end`, for good. Withdraws questions, stops sounds and
  /// timers, tells the others. Nothing happens here any more.
  virtual void stop(const End* end) = 0;

  /// The leg's dialog is confirmed: at once after begin(), if it was already.
  virtual void confirmed() {}
  virtual void digit_pressed(char) {}
  /// A key that did not come as RTP, so that the media engine does not know of it.
  virtual void signalled_digit(char digit) { digit_pressed(digit); }
  virtual void play_ended(media::PlayId) {}
  /// Of the leg's other side, while somebody watches for it.
  virtual void fell_silent() {}
  virtual void codec_changed() {}
  /// An offer of the other side; true: it has been dealt with, else it is about our media.
  virtual bool offer_received(const sip::OfferReceived&) { return false; }
  /// What became of an offer of ours in the dialog: its status, and the answer.
  virtual void offer_answered(int /*status*/, const std::string& /*sdp*/) {}
  /// An ACK has brought the answer to a description of ours; true: it has been dealt with.
  virtual bool description_answered(const std::string& /*sdp*/) { return false; }
  /// An ACK should have, and has not: all is as before.
  virtual void description_missing() {}
  virtual void hold_changed(bool /*held*/) {}
  /// Of a leg that is being placed.
  virtual void progress(const sip::Progress&) {}
  virtual void answered(const sip::Answered&) {}
  /// From the other party.
  virtual void message(const Letter&) {}
  /// Whether a JoinAccepted is expected from that sender; or a JoinRequest crosses one of our own, which is enough.
  virtual bool awaits(const Letter&) const { return false; }

  /// Whether the participant `by` may take this one out of it by `connect`.
  virtual bool may_be_connected(const PartyAddress& /*by*/) const { return false; }
  /// Somebody takes the participant's place in its connection; false if it is in none.
  virtual bool replaced_by(const JoinRequest&) { return false; }
  /// The next activity goes on with the connection: the other half is not to be told that this one is left.
  virtual void keep_connection() {}
  /// The id, as a participant, of the IVR that it talks to; empty: it doesn't.
  virtual std::string_view ivr() const { return {}; }
  /// Leaves its connection with another party or the IVR; false if it is in none.
  virtual bool split() { return false; }
  /// The other party, or the IVR, hangs up; false if there is none.
  virtual bool hang_up_remote(const End&) { return false; }
  /// Records its connection, as startrecording wants. The error says why that can't be.
  virtual Result<void> start_recording(const std::string& /*file_name*/) {
    return fail("it is not one of two parties or the IVR");
  }
  virtual bool is_recording() const { return false; }
  virtual void stop_recording() {}
  /// REFER came; false: it can't be served here.
  virtual bool referred(const sip::ReferReceived&) { return false; }
  /// It only listens to others.
  virtual bool is_monitor() const { return false; }
};

}  // namespace rw::call
