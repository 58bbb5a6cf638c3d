#pragma once

#include <memory>
#include <optional>
#include <string>

#include "call/activity.h"
#include "call/background_sound.h"
#include "call/call_event.h"
#include "call/call_plan.h"
#include "call/caller_check.h"
#include "call/inbound_call.h"
#include "call/ivr.h"
#include "call/leg_log.h"
#include "call/leg_media.h"
#include "call/recording.h"
#include "call/session.h"
#include "call/unconfirmed_calls.h"

namespace rw::call {

/// One SIP leg of a session: the caller of an inbound call, or one that we have placed. Always in exactly one activity
/// (see docs/call-model.md); turns SIP and media events into inputs of that activity, and keeps the leg's media in step
/// with offer/answer.
class Participant final : public IvrHost {
 public:
  /// The caller of an inbound call.
  Participant(Services& services, Session& session, sip::LegId leg, std::shared_ptr<const InboundCall> call);
  /// A leg that is to be placed: the called user part, and the one that it is called by.
  Participant(Services& services, Session& session, std::string user, std::string remote_user);
  /// A REST device that is joined with a party by `httpcall`: it has no SIP leg, and is there at once.
  Participant(Services& services, Session& session, std::string user, std::string remote_user, sdp::DeviceAudio device);
  ~Participant() override;

  const std::string& id() const { return id_; }
  Session& session() const { return session_; }
  bool is_inbound() const { return inbound_ != nullptr; }
  /// SIP user part of the party at the leg's far end.
  const std::string& user() const { return user_; }
  /// Of the party at the other end of its connection, or what the caller dialled.
  const std::string& remote_user() const { return remote_user_; }
  /// The participant there, or empty.
  const std::string& remote_id() const { return remote_id_; }
  const std::string& call_id() const { return call_id_; }
  bool answered() const { return answered_; }
  /// It has no SIP leg.
  bool is_device() const { return device_.has_value(); }
  /// The caller's offer; empty: a late one.
  const std::string& offer() const { return offer_; }
  /// It has a description of ours, if only as early media.
  bool described() const { return !description_.empty(); }
  LegMedia& media() { return media_; }
  const LegMedia& media() const { return media_; }
  PartyAddress address() const { return {services_.shard, id_}; }
  PartyFacts facts() const;
  /// It listens to others, and is no party of the call.
  bool is_monitor() const { return activity_ && activity_->is_monitor(); }

  // ---- what activities do with the leg
  /// Replaces the activity.
  void change(std::unique_ptr<Activity> next);
  /// The same, and the next one goes on with the connection.
  void go_on(std::unique_ptr<Activity> next);
  /// Asks the application what is to happen next (callEvent). A device whose other party has gone is only told, and
  /// ends: there is nobody left.
  void decide(const CallEvent& event);
  /// Answers an unanswered caller. False: that could not be done, and the leg has been ended.
  bool answer();
  /// The same with a description of somebody else's media.
  bool answer_with(const std::string& sdp);
  /// Offers it in a re-INVITE: Activity::offer_answered() tells what became of it. False: that can't be done now.
  bool offer_media(const std::string& sdp);
  /// Answers the offer that was received.
  void answer_offer(const std::string& sdp);
  /// Refuses it, because of `problem`.
  void refuse_offer(const sdp::Problem& problem);
  /// The other side's description can't be used: the call ends.
  void lost_media(const std::string& problem);
  /// The alarm about a final response that was not expected, to `what`.
  void reinvite_refused(int status, const std::string& what);
  /// A device's media comes to us; `like`: whom it will be joined with, or null.
  Result<void> open_device_media(const Participant* like);
  /// Answers if need be, then talks to the IVR.
  void enter_ivr(std::optional<RecordingWish> recording);
  /// Rings back to whoever waits: 180 or 183 and a tone, or silence, until stop_ringback(). False: the leg has been
  /// ended.
  bool start_ringback(Ringback kind);
  void stop_ringback();
  /// Sends the INVITE of a leg that is to be placed. `like`: whom it will be joined with, or null. The error says what
  /// can't be used.
  /// Counts for its trunk's limits, if it goes over one: if they are reached, nothing is sent.
  Result<void> place(sip::OutgoingInvite invite, const Participant* like);
  /// The same with an offer of somebody else's media.
  Result<void> place_with(sip::OutgoingInvite invite, std::string sdp);
  /// The placed leg was answered, and its media is settled.
  void established();
  /// The connection that the participant is in, for its events; empty: none. `other`: the party at its other end.
  void set_connection(std::string connection, std::string other_id, std::string other_user);
  const std::string& connection() const { return connection_id_; }
  void send(const PartyAddress& to, PartyMessage message);
  /// Accepts a JoinRequest: joined from now on.
  void join(const JoinRequest& request);
  /// For a recording of the connection that the participant is in. `peer`: the codec at its other end.
  RecordingOrder connection_recording(const std::string& file_name, rtp::Codec peer);
  /// Who has asked by REFER for what becomes of the participant; maybe itself, about its way out of the IVR.
  void set_referrer(PartyAddress referrer) { referrer_ = std::move(referrer); }
  /// Tells it how that gets on, by a SIP status; 2xx is the last it hears.
  void tell_referrer(int status);
  /// callAnswered of a connection that this participant is in.
  void notify_answered(const PartyFacts& calling, const PartyFacts& called);
  /// callNotify.
  void notify_ringing() { notify_change("ringing", {}); }
  /// What a re-INVITE or UPDATE has brought.
  struct Change {
    std::optional<bool> changed = {};         ///< it is not a mere refresh
    std::optional<bool> hold = {};            ///< the call was put on hold, or taken back
    const sdp::RemoteAudio* media = nullptr;  ///< where the other side receives now, for a device
  };
  void notify_change(std::string_view event, const Change& change);
  ReplySubject reply_subject() const override;
  void alarm(std::string_view type, std::string_view error, boost::json::object details) override;

  /// The place of its trunk's limits that an inbound leg takes up, until it ends.
  void hold(CallLimits::Place place) { trunk_place_ = std::move(place); }

  /// The same of the places for calls whose caller has not shown that it is there, until it does. `proof`: how sure it
  /// is who it is.
  void hold(UnconfirmedCalls::Place place, CallerProof proof) {
    unconfirmed_place_ = std::move(place);
    proof_ = proof;
  }

  // ---- inputs
  /// Keeps the INVITE's offer (empty: a late offer). An error: it can't be served, by us or by a device.
  sdp::Outcome<void> check_offer(const std::string& sdp, bool for_device);
  /// Ends an unanswered call whose offer can't be served.
  void refuse_call(const sdp::Problem& problem);
  /// Asks the application what to do with the call (newCall).
  void ask_new_call(const sip::Message& invite, const sip::Flow& flow);
  void cancelled(const std::string& sip_reason);
  void acknowledged(const sip::Acknowledged& ack);
  void provisional_acknowledged(const sip::ProvisionalAcknowledged& prack);
  void progress(const sip::Progress& progress);
  void answered_by(const sip::Answered& answer);
  void offer_received(const sip::OfferReceived& offer);
  void offer_answered(int status, const std::string& sdp);
  void refreshed(bool by_invite);
  void refresh_refused(int status);
  void information_received(const std::string& content_type, const std::string& body);
  void refer_received(const sip::ReferReceived& refer);
  void ended(const sip::Ended& end);
  void media_event(const media::Event& event);
  void receive(const Letter& letter);

  // ---- commands of the API
  Activity* activity() const { return activity_.get(); }
  Ivr::Interruption interrupt(std::string_view command);
  /// The id of the IVR that it talks to, or empty.
  std::string_view ivr() const { return activity_ ? activity_->ivr() : std::string_view(); }
  bool split() { return activity_ && activity_->split(); }
  Result<void> start_recording(const std::string& file_name);
  bool is_recording() const { return activity_ && activity_->is_recording(); }
  void stop_recording();
  bool hang_up_remote(const End& end) { return activity_ && activity_->hang_up_remote(end); }
  /// Ends the leg: its final response or CANCEL if it is unanswered, else BYE; then the finaliser.
  /// `headers`: of the response.
  void hang_up(const End& end, Refusal refusal, sip::Headers headers = {});
  /// With another Reason header (RFC 3326) in the request than the refusal's.
  void hang_up(const End& end, Refusal refusal, sip::Headers headers, const std::string& reason);
  /// Frees all that the participant holds. For Session only.
  void let_go(const End& end);

  // ---- IvrHost
  media::LegId media_leg() const override { return media_.leg(); }
  rtp::Codec codec() const override { return media_.codec(); }
  const callbacks::Context& application() const override { return session_.application(); }
  PhraseContext phrase_context() const override;
  const std::string& called_party() const override { return is_inbound() ? remote_user_ : user_; }
  const boost::json::value* session_reference() const override { return session_.reference(); }
  void check_members(std::string_view event, const boost::json::object& reply) override {
    session_.check_members(event, reply);
  }
  void set_session_reference(boost::json::value value) override { session_.set_reference(std::move(value)); }
  void connected_to_ivr(const std::string& ivr) override;
  void left_ivr(CallEvent event, bool by_ivr) override;
  void leave_ivr(const Action& action) override;
  bool refer_from_ivr(const sip::ReferReceived& refer, CallEvent event) override;
  bool is_caller() const override { return is_inbound(); }
  RecordingOrder ivr_recording(const std::string& file_name) override {
    return connection_recording(file_name, codec());
  }
  RecordingOrder file_recording(const std::string& file_name, bool tell) override;
  void hang_up(EndReason reason) override;
  void without_command() override;

 private:
  Result<void> describe();
  void tell_change(std::string_view event, bool was_held);
  Result<void> enter_trunk(const std::string& target);
  /// Tells the log that the placed leg has come to nothing; once.
  void log_not_answered(const End& end);
  void join_request(const Letter& letter);
  /// The answer to an offer of ours. False: it can't be used, and the call has been ended.
  bool take_answer(const std::string& sdp);
  End end_of(const sip::Ended& end);
  /// The caller has shown that it is there.
  void show_life();
  bool refers_itself() const { return referrer_ && referrer_->participant == id_; }

  Services& services_;
  Session& session_;
  const std::string id_;
  const std::shared_ptr<const InboundCall> inbound_;  ///< null: we have placed the leg
  const std::string user_;
  std::string remote_user_;  ///< of the party at the other end, or what the caller dialled
  std::string remote_id_;    ///< participant at the other end, or empty
  sip::LegId sip_leg_ = 0;
  std::string call_id_;
  std::string offer_;                             ///< the caller's
  bool for_device_ = false;                       ///< the caller has called a device
  std::string description_;                       ///< the last one that the other side has been sent
  int provisional_ = 0;                           ///< the last one that was sent
  const std::optional<sdp::DeviceAudio> device_;  ///< there is no SIP leg
  LegMedia media_;
  std::optional<BackgroundSound> ringback_;
  bool answered_ = false;   ///< a 200 has been sent, or has come
  bool confirmed_ = false;  ///< and acknowledged
  bool gone_ = false;
  std::string connection_id_;
  int recordings_ = 0;          ///< of the connection that were given no name
  bool late_reinvite_ = false;  ///< an ACK has yet to say what a re-INVITE without a description is about
  std::optional<PartyAddress> referrer_;
  CallLimits::Place trunk_place_;
  UnconfirmedCalls::Place unconfirmed_place_;
  CallerProof proof_ = CallerProof::secret;
  std::optional<LegLine> placed_;  ///< until the log has told what became of it
  std::unique_ptr<Activity> activity_;
};

}  // namespace rw::call
