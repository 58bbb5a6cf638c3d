#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "call/activity.h"
#include "call/background_sound.h"
#include "call/call_plan.h"
#include "call/half.h"
#include "call/phrase_player.h"
#include "call/recording.h"
#include "call/services.h"
#include "sip/user_agent.h"

namespace rw::call {

class Participant;
struct JoinPlan;

/// The activity of a participant that is in a connection with another party through our media: one half of it. First
/// each hears its greeting, if there is one; then the two are joined.
class Joined final : public Half, private PhrasePlayer::Listener {
 public:
  Joined(Services& services, Participant& participant, JoinPlan plan);
  ~Joined() override;

  std::string_view name() const override { return "Joined"; }
  void begin() override;
  void stop(const End* end) override;
  void confirmed() override;
  void signalled_digit(char digit) override;
  void play_ended(media::PlayId play) override;
  void codec_changed() override;
  void hold_changed(bool held) override;
  bool replaced_by(const JoinRequest& request) override;
  bool referred(const sip::ReferReceived& refer) override;
  Result<void> start_recording(const std::string& file_name) override;
  bool is_recording() const override { return recording_.running(); }
  void stop_recording() override { recording_.stop(); }

 private:
  void peer_says(const Letter& letter) override;
  const Phrases& own_greeting() const;
  void play_greeting();
  void phrases_failed(const PhraseFailure& failure) override;
  RecordingOrder recording_of(const RecordPhrase& phrase) override;
  void phrases_done() override;
  std::pair<RecordedLeg, RecordedLeg> recorded_legs() const;
  void establish();
  void announce();
  void place_monitor();
  void set_peer_held(bool held);
  bool set_up_failed(const End& end) const override;
  void take_refer(const Referred& refer);

  const std::unique_ptr<JoinPlan> plan_;
  PhrasePlayer player_;
  BackgroundSound hold_music_;
  Recording recording_;
  bool greeted_ = false, peer_greeted_ = false;
  bool established_ = false, announced_ = false, confirmed_ = false;
  bool stopped_ = false;
  std::string monitor_;  ///< participant that listens, or empty
};

/// A leg that listens is to be placed.
struct MonitorOrder {
  MonitorPlan plan;
  sip::OutgoingInvite monitored;  ///< the callee's, as it was sent
};

struct JoinPlan {
  Half::Place place;
  Greeting greeting = {};                       ///< of both sides
  std::optional<MonitorOrder> monitor = {};     ///< with the calling half only
  std::optional<RecordingWish> recording = {};  ///< with the calling half only
};

}  // namespace rw::call
