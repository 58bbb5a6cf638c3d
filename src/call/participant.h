#pragma once

#include <memory>
#include <optional>
#include <string>

#include "call/activity.h"
#include "call/inbound_call.h"
#include "call/ivr.h"
#include "call/leg_media.h"
#include "call/session.h"

namespace rw::call {

/// One SIP leg of a session: the caller of an inbound call. Always in exactly one activity (see docs/call-model.md);
/// turns SIP and media events into inputs of that activity, and keeps the leg's media in step with offer/answer.
class Participant final : public IvrHost {
 public:
  Participant(Services& services, Session& session, sip::LegId leg, InboundCall call);
  ~Participant() override;

  const std::string& id() const { return id_; }
  sip::LegId sip_leg() const { return sip_leg_; }
  Session& session() const { return session_; }

  /// Keeps the INVITE's offer (empty: a late offer). An error: it can't be served.
  Result<void> check_offer(const std::string& sdp);
  /// Asks the application what to do with the call (newCall).
  void ask_new_call(const sip::Message& invite, const sip::Flow& flow);

  // ---- inputs
  void cancelled();
  void acknowledged(const std::string& sdp);
  void offer_received(const sip::OfferReceived& offer);
  void refreshed(bool by_invite);
  void information_received(const std::string& content_type, const std::string& body);
  void ended(const sip::Ended& end);
  void media_event(const media::Event& event);

  // ---- commands of the API
  Ivr::Interruption interrupt(std::string_view command);
  /// Ends the leg: its final response if it is unanswered, else BYE; then the finaliser.
  void hang_up(EndReason reason, Refusal refusal);
  /// Frees all that the participant holds. For Session::finish() only.
  void let_go();

  // ---- IvrHost
  media::LegId media_leg() const override { return media_.leg(); }
  rtp::Codec codec() const override { return media_.codec(); }
  const callbacks::Context& application() const override { return session_.application(); }
  PhraseContext phrase_context() const override;
  ReplySubject reply_subject() const override;
  const std::string& called_party() const override { return call_.called_party; }
  const boost::json::value* session_reference() const override { return session_.reference(); }
  void set_session_reference(boost::json::value value) override { session_.set_reference(std::move(value)); }
  void alarm(std::string_view type, std::string_view error, boost::json::object details) override;
  void hang_up(EndReason reason) override;

 private:
  void new_call_decided(tl::expected<callbacks::Reply, callbacks::Failure> reply);
  void new_call_failed(std::string_view error, boost::json::object details);
  void drop(const std::string& drop_code);
  void answer_to_ivr();
  void join_ivr();
  void lost_media(const std::string& problem);
  void notify_change(std::string_view event, std::optional<bool> hold);

  Services& services_;
  Session& session_;
  const sip::LegId sip_leg_;
  const std::string id_;
  const InboundCall call_;
  std::string offer_;
  LegMedia media_;
  bool answered_ = false;   ///< our 200 has been sent
  bool confirmed_ = false;  ///< and acknowledged
  std::string connection_id_;
  std::optional<callbacks::QuestionId> question_;
  std::unique_ptr<Ivr> ivr_;  ///< the activity; without one the application is being asked, or the caller has gone
  std::unique_ptr<Ivr> ended_ivr_;  ///< kept until the participant is destroyed: it may be what ended the call
};

}  // namespace rw::call
