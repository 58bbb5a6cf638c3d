#include "call/participant.h"

#include "base/json_fields.h"
#include "call/info_dtmf.h"

namespace rw::call {
namespace {

boost::json::object details_of(const callbacks::Failure& failure) {
  boost::json::object details{{"url", failure.url}, {"description", failure.detail}};
  if (failure.status != 0) details["status"] = failure.status;
  return details;
}

/// What an unanswered caller gets when the application can't decide.
constexpr Refusal no_decision{480, "Temporarily unavailable"};

}  // namespace

Participant::Participant(Services& services, Session& session, sip::LegId leg, InboundCall call)
    : services_(services),
      session_(session),
      sip_leg_(leg),
      id_(services.ids.uuid()),
      call_(std::move(call)),
      media_(services, *this) {}

Participant::~Participant() = default;

Result<void> Participant::check_offer(const std::string& sdp) {
  offer_ = sdp;
  return sdp.empty() ? Result<void>{} : media_.check(sdp);
}

void Participant::ask_new_call(const sip::Message& invite, const sip::Flow& flow) {
  auto body = new_call_members(call_, invite, flow);
  for (auto& member : session_.callback_members()) body.insert(member);
  body["ivrServer"] = services_.settings.node_address;
  body["domain"] = session_.domain();
  body["participantId"] = id_;
  body["replyId"] = services_.tokens.issue(reply_subject());
  question_ = services_.application.ask(application(), "newCall", std::move(body), [this](auto reply) {
    question_.reset();
    new_call_decided(std::move(reply));
  });
}

void Participant::new_call_decided(tl::expected<callbacks::Reply, callbacks::Failure> reply) {
  if (!reply) {
    const bool empty = reply.error().kind == callbacks::Failure::Kind::empty;
    new_call_failed(empty ? "newCall response empty" : "newCall request failed", details_of(reply.error()));
    return;
  }
  JsonFields fields(reply->body);
  const auto action = fields.text("action");
  const auto drop_code = fields.text("dropCode").value_or("");
  if (fields.error()) {
    new_call_failed("newCall request failed", {{"description", fields.error()->message}, {"status", reply->status}});
    return;
  }
  if (const auto* reference = reply->body.if_contains("sessionReferenceId")) session_.set_reference(*reference);
  if (!action || action->empty()) {
    new_call_failed("newCall response without action", {{"field", "action"}});
  } else if (*action == "drop") {
    drop(drop_code);
  } else if (*action == "ivr") {
    answer_to_ivr();
  } else {
    new_call_failed("newCall response with unknown action", {{"field", "action"}, {"action", *action}});
  }
}

void Participant::new_call_failed(std::string_view error, boost::json::object details) {
  alarm("newCallEventError", error, std::move(details));
  hang_up(EndReason::error, no_decision);
}

void Participant::drop(const std::string& drop_code) {
  const auto refusal = refusal_for(drop_code);
  if (!refusal) {
    new_call_failed("newCall request failed",
                    {{"field", "dropCode"}, {"description", "unknown dropCode " + drop_code}});
    return;
  }
  hang_up(EndReason::rejected, *refusal);
}

void Participant::answer_to_ivr() {
  auto sdp = media_.respond(offer_);
  if (!sdp) {
    alarm("ivrCommandError", "mediaServerError", {{"description", sdp.error().message}});
    hang_up(EndReason::error, {503, "No media port"});
    return;
  }
  answered_ = services_.sip.answer(sip_leg_, std::move(*sdp), {}, services_.now);
  if (!answered_) {
    hang_up(EndReason::error, no_decision);
    return;
  }
  ivr_ = std::make_unique<Ivr>(services_, *this);  // keys may be pressed before the ACK has come
}

void Participant::acknowledged(const std::string& sdp) {
  if (!sdp.empty()) {
    if (const auto taken = media_.complete(sdp); !taken) {
      lost_media(taken.error().message);
      return;
    }
    if (ivr_) ivr_->codec_changed();
  }
  if (confirmed_) return;
  confirmed_ = true;
  media_.start_timeout_watch();
  join_ivr();
}

void Participant::join_ivr() {
  connection_id_ = services_.ids.uuid();
  auto body = session_.callback_members();
  body["domain"] = session_.domain();
  body["callingPartyNumber"] = call_.calling_party;
  body["remotePartyNumber"] = call_.called_party;
  body["callerParticipantId"] = id_;
  body["calleeParticipantId"] = services_.ids.uuid();  // the IVR's side of the connection
  body["connectionId"] = connection_id_;
  body["monitoringParticipant"] = false;
  if (const auto interval = services_.sip.session_interval(sip_leg_); interval != 0)
    body["callingPartyExpires"] = interval;
  auto subject = reply_subject();
  subject.connection = connection_id_;
  body["replyId"] = services_.tokens.issue(subject);
  services_.application.notify(application(), "callAnswered", std::move(body));
  session_.log().info("answered", {{"participantId", id_}, {"codec", rtp::facts(media_.codec()).name}});
  ivr_->begin();
}

void Participant::lost_media(const std::string& problem) {
  alarm("callError", "invalidSdp", {{"description", problem}});
  hang_up(EndReason::error, {488, "Not acceptable here"});
}

void Participant::cancelled() {
  session_.finish(*this, EndReason::cancelled);
}

void Participant::offer_received(const sip::OfferReceived& offer) {
  const bool was_held = media_.held();
  const auto old_codec = media_.codec();
  auto sdp = media_.respond(offer.sdp);
  if (!sdp) {
    services_.sip.reject_offer(sip_leg_, 488, services_.now);
    alarm("callError", "invalidSdp", {{"description", sdp.error().message}});
    return;
  }
  services_.sip.answer_offer(sip_leg_, std::move(*sdp), services_.now);
  if (ivr_ && media_.codec() != old_codec) ivr_->codec_changed();
  const bool changed = media_.held() != was_held;
  notify_change(offer.method == sip::OfferReceived::Method::invite ? "reInvite" : "update",
                changed ? std::optional(media_.held()) : std::nullopt);
}

void Participant::refreshed(bool by_invite) {
  notify_change(by_invite ? "reInvite" : "update", std::nullopt);
}

void Participant::notify_change(std::string_view event, std::optional<bool> hold) {
  auto body = session_.callback_members();
  body["domain"] = session_.domain();
  body["event"] = event;
  body["monitoringParticipant"] = false;
  body["participantId"] = id_;
  body["user"] = call_.calling_party;
  body["remoteUser"] = call_.called_party;
  body["sipCallId"] = call_.call_id;
  body["ivrServer"] = services_.settings.node_address;
  body["replyId"] = services_.tokens.issue(reply_subject());
  if (hold) body["hold"] = *hold;
  services_.application.notify(application(), "callNotify", std::move(body));
}

void Participant::information_received(const std::string& content_type, const std::string& body) {
  const auto digit = dtmf_of_info(content_type, body);
  if (digit && ivr_) ivr_->digit_pressed(*digit);
}

void Participant::ended(const sip::Ended& end) {
  EndReason reason = EndReason::normal;
  switch (end.cause) {
    case sip::EndCause::remote_bye:
    case sip::EndCause::local_bye:
      break;
    case sip::EndCause::cancelled:
      reason = EndReason::cancelled;
      break;
    case sip::EndCause::session_expired:
      reason = EndReason::session_expired;
      alarm("callError", "sessionExpired", {{"description", "the other side did not refresh the session"}});
      break;
    case sip::EndCause::rejected:
    case sip::EndCause::cancel_failed:
    case sip::EndCause::failed:
    case sip::EndCause::no_ack:
    case sip::EndCause::transport_failed:
      reason = EndReason::error;
      break;
  }
  session_.finish(*this, reason);
}

void Participant::media_event(const media::Event& event) {
  if (const auto* dtmf = std::get_if<media::DtmfReceived>(&event)) {
    if (ivr_) ivr_->digit_pressed(dtmf->digit);
  } else if (const auto* played = std::get_if<media::PlayEnded>(&event)) {
    if (ivr_) ivr_->play_ended(played->play);
  } else if (std::holds_alternative<media::RtpTimedOut>(event)) {
    alarm("callError", "RTP media timeout", {{"description", "no RTP came from the caller"}});
    hang_up(EndReason::rtp_timeout, {480, "RTP media timeout"});
  }
}

Ivr::Interruption Participant::interrupt(std::string_view command) {
  return ivr_ ? ivr_->interrupt(command) : Ivr::Interruption::over;
}

void Participant::hang_up(EndReason reason) {
  hang_up(reason, reason == EndReason::normal ? Refusal{200, "Call completed"} : no_decision);
}

void Participant::hang_up(EndReason reason, Refusal refusal) {
  if (answered_) {
    services_.sip.bye(sip_leg_, reason_header(refusal), services_.now);
  } else {
    sip::Headers headers;
    if (refusal.status == 480 || refusal.status == 503) headers.emplace_back("Retry-After", "5");
    services_.sip.reject(sip_leg_, refusal.status, headers, services_.now);
  }
  session_.finish(*this, reason);
}

void Participant::let_go() {
  if (question_) services_.application.forget(*question_);
  question_.reset();
  ended_ivr_ = std::move(ivr_);
  if (ended_ivr_) ended_ivr_->stop();
  media_.release();
}

PhraseContext Participant::phrase_context() const {
  return {session_.domain(), application().service->tone_plan};
}

ReplySubject Participant::reply_subject() const {
  ReplySubject subject;
  subject.domain = session_.domain();
  subject.node = services_.settings.node_id;
  subject.session = session_.id();
  subject.participant = id_;
  subject.connection = connection_id_;
  return subject;
}

void Participant::alarm(std::string_view type, std::string_view error, boost::json::object details) {
  session_.alarm(type, error, std::move(details));
}

}  // namespace rw::call
