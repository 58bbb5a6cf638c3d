#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <utility>

#include "call/activity.h"
#include "call/background_sound.h"
#include "call/call_event.h"
#include "call/ivr_command.h"
#include "call/outcome.h"
#include "call/phrase_player.h"
#include "call/recording.h"
#include "call/services.h"

namespace rw::call {

/// What an Ivr needs of the participant that talks to it.
class IvrHost {
 public:
  virtual ~IvrHost() = default;
  virtual media::LegId media_leg() const = 0;
  virtual rtp::Codec codec() const = 0;
  virtual const callbacks::Context& application() const = 0;
  virtual PhraseContext phrase_context() const = 0;
  virtual ReplySubject reply_subject() const = 0;
  virtual const std::string& called_party() const = 0;
  /// sessionReferenceId, or null.
  virtual const boost::json::value* session_reference() const = 0;
  virtual void set_session_reference(boost::json::value value) = 0;
  /// The application's reply to `event` has come: members that nobody knows are told.
  virtual void check_members(std::string_view event, const boost::json::object& reply) = 0;
  virtual void alarm(std::string_view type, std::string_view error, boost::json::object details) = 0;
  /// The leg is confirmed, and the IVR begins. `ivr`: the id that it has as a participant.
  virtual void connected_to_ivr(const std::string& ivr) = 0;
  /// The connection with the IVR is over, and the application decides what is next. `event` says what has happened;
  /// `by_ivr`: the IVR has caused it. As after hang_up().
  virtual void left_ivr(CallEvent event, bool by_ivr) = 0;
  /// The same, and the application has decided already.
  virtual void leave_ivr(const Action& action) = 0;
  /// Whether the party's REFER, which is `event`, could be accepted. Then as after left_ivr().
  virtual bool refer_from_ivr(const sip::ReferReceived& refer, CallEvent event) = 0;
  /// Ends the call. The Ivr must do nothing more after this.
  virtual void hang_up(EndReason reason) = 0;
  /// The application has given no usable command: the fallback, or the call's end. As after hang_up().
  virtual void without_command() = 0;
  /// It called us; else we have called it.
  virtual bool is_caller() const = 0;
  virtual RecordingOrder ivr_recording(const std::string& file_name) = 0;
  /// For a `record` phrase. `tell`: the application wants to hear of its end.
  virtual RecordingOrder file_recording(const std::string& file_name, bool tell) = 0;
};

/// The activity of a participant that talks to the IVR: ask for a command, play its phrases, collect digits, wait, ask
/// again. The IVR is the other participant of their connection, though one without a leg.
///
///   identifying → asking → playing → collecting ─→ asking
///                                  ├→ pausing ───→
///                                  └→ leaving
class Ivr final : public Activity, private PhrasePlayer::Listener {
 public:
  /// `recording`: of its connection with the IVR.
  Ivr(Services& services, IvrHost& host, std::optional<RecordingWish> recording);
  ~Ivr() override { stop(nullptr); }

  /// Asks for the first command.
  void confirmed() override;
  void stop(const End* end) override;
  bool may_be_connected(const PartyAddress&) const override { return state_ != State::leaving; }

  enum class Interruption : std::uint8_t { done, too_early, over };
  /// interruptivrcommand: ends the command `command` and asks for the next.
  Interruption interrupt(std::string_view command);

  std::string_view name() const override { return "Ivr"; }
  void digit_pressed(char digit) override;
  void fell_silent() override { player_.fell_silent(); }
  Result<void> start_recording(const std::string& file_name) override;
  bool is_recording() const override { return recording_.running(); }
  void stop_recording() override { recording_.stop(); }
  void play_ended(media::PlayId play) override { player_.play_ended(play); }
  void codec_changed() override;
  std::string_view ivr() const override { return connected() ? std::string_view(id_) : std::string_view(); }
  bool split() override;
  /// The IVR hangs up.
  bool hang_up_remote(const End& end) override;
  bool referred(const sip::ReferReceived& refer) override;

 private:
  enum class State : std::uint8_t { idle, identifying, asking, playing, collecting, pausing, leaving };

  bool connected() const { return state_ != State::idle && state_ != State::leaving; }
  void identify();
  void ask();
  boost::json::object request() const;
  void replied(tl::expected<callbacks::Reply, callbacks::Failure> reply);
  void failed(std::string_view error, boost::json::object details);
  void run(IvrCommand command);
  void check_digits();
  void barge_in();
  void phrases_failed(const PhraseFailure& failure) override;
  void background_failed(const std::string& format, const std::string& problem);
  RecordingOrder recording_of(const RecordPhrase& phrase) override;
  void phrases_done() override;
  std::pair<RecordedLeg, RecordedLeg> recorded_sides() const;
  void record(const RecordingWish& wish);
  void collect();
  void end_collection(DtmfResult result);
  void pause(std::chrono::milliseconds length);
  void change_background(const IvrCommand::Background& wanted);
  void start_background();

  Services& services_;
  IvrHost& host_;
  const std::string id_;  ///< of the IVR, as a participant
  PhrasePlayer player_;
  State state_ = State::idle;
  IvrCommand command_;
  std::string command_id_;
  std::size_t phrases_ = 0, failed_phrases_ = 0;  ///< of the command that runs
  DtmfCollector digits_;
  std::optional<DtmfEncryption>
      encryption_;  ///< of the digits in the buffer: once hidden, they stay hidden until they are flushed
  std::optional<DtmfResult> matched_;      ///< of the command that runs
  std::optional<DtmfResult> last_result_;  ///< for the next request's dtmfParams
  std::optional<callbacks::QuestionId> question_;
  std::optional<audio::SoundRequest> wanted_background_;
  std::chrono::milliseconds background_pause_{0};
  BackgroundSound background_;
  std::optional<RecordingWish> wanted_recording_;
  Recording recording_;  ///< of the connection with the IVR
  Timer timer_;
  Timer ask_after_;
  TimePoint last_digit_;
};

}  // namespace rw::call
