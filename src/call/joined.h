#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "call/activity.h"
#include "call/background_sound.h"
#include "call/call_event.h"
#include "call/call_plan.h"
#include "call/phrase_player.h"
#include "call/recording.h"
#include "call/services.h"
#include "sip/user_agent.h"

namespace rw::call {

class Participant;
struct JoinPlan;

/// The activity of a participant that is in a connection with another party: one half of the connection. The halves
/// know each other by letters only (party.h). First each hears its greeting, if there is one; then the two are joined.
/// When the other party goes, or the connection is split, the application is asked (callEvent).
class Joined final : public Activity, private PhrasePlayer::Listener {
 public:
  enum class Role : std::uint8_t { calling, called };

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
  void message(const Letter& letter) override;
  bool replaced_by(const JoinRequest& request) override;
  bool split() override;
  bool hang_up_remote(const End& end) override;
  bool referred(const sip::ReferReceived& refer) override;
  Result<void> start_recording(const std::string& file_name) override;
  bool is_recording() const override { return recording_.running(); }
  void stop_recording() override { recording_.stop(); }

 private:
  bool is_calling() const;
  const Phrases& own_greeting() const;
  void play_greeting();
  void phrase_failed(const std::string& format, const std::string& problem, bool timed_out) override;
  RecordingOrder recording_of(const RecordPhrase& phrase) override;
  void phrases_done() override;
  std::pair<RecordedLeg, RecordedLeg> recorded_legs() const;
  void establish();
  void announce();
  void place_monitor();
  void set_peer_held(bool held);
  std::string_view name_of(const Left& left) const;
  void ask(std::string_view name, bool caused_by_peer, const End& end);
  CallEvent event(std::string_view name, bool caused_by_peer, const End& end) const;
  void ask_after_split();
  void take_refer(const Referred& refer);

  Services& services_;
  Participant& participant_;
  const std::unique_ptr<JoinPlan> plan_;
  PhrasePlayer player_;
  BackgroundSound hold_music_;
  Recording recording_;
  bool greeted_ = false, peer_greeted_ = false;
  bool established_ = false, announced_ = false, confirmed_ = false;
  bool peer_knows_ = false;  ///< that this half has left
  bool stopped_ = false;
  std::string monitor_;  ///< participant that listens, or empty
};

/// A leg that listens is to be placed.
struct MonitorOrder {
  MonitorPlan plan;
  sip::OutgoingInvite monitored;  ///< the callee's, as it was sent
};

struct JoinPlan {
  Joined::Role role = Joined::Role::calling;
  PartyFacts peer;
  std::string connection;
  Greeting greeting = {};                       ///< of both sides
  std::optional<MonitorOrder> monitor = {};     ///< with the calling half only
  std::optional<RecordingWish> recording = {};  ///< with the calling half only
};

}  // namespace rw::call
