#include "call/participant.h"

#include <utility>

#include "call/carry_out.h"
#include "call/deciding.h"
#include "call/fallback.h"
#include "call/info_dtmf.h"
#include "call/joined.h"
#include "call/referring.h"
#include "call/warning.h"
#include "ops/bound.h"
#include "sdp/succession.h"
#include "sip/uri.h"

namespace rw::call {

Participant::Participant(Services& services, Session& session, sip::LegId leg, std::shared_ptr<const InboundCall> call)
    : services_(services),
      session_(session),
      id_(services.ids.uuid()),
      inbound_(std::move(call)),
      user_(inbound_->calling_party),
      remote_user_(inbound_->called_party),
      sip_leg_(leg),
      call_id_(inbound_->call_id),
      media_(services, *this) {
  services_.participants.emplace(id_, this);
  services_.sip_legs.emplace(leg, this);
}

Participant::Participant(Services& services, Session& session, std::string user, std::string remote_user)
    : services_(services),
      session_(session),
      id_(services.ids.uuid()),
      user_(std::move(user)),
      remote_user_(std::move(remote_user)),
      media_(services, *this) {
  services_.participants.emplace(id_, this);
}

Participant::Participant(Services& services, Session& session, std::string user, std::string remote_user,
                         sdp::DeviceAudio device)
    : services_(services),
      session_(session),
      id_(services.ids.uuid()),
      user_(std::move(user)),
      remote_user_(std::move(remote_user)),
      device_(std::move(device)),
      media_(services, *this),
      answered_(true),
      confirmed_(true) {
  services_.participants.emplace(id_, this);
}

Participant::~Participant() = default;

PartyFacts Participant::facts() const {
  PartyFacts facts;
  facts.address = address();
  facts.domain = session_.domain();
  facts.session = session_.id();
  facts.user = user_;
  facts.media_leg = media_.leg();
  facts.expires = services_.sip.session_interval(sip_leg_);
  facts.codec = media_.codec();
  facts.held = media_.held();
  if (device_ && media_.is_open()) {
    facts.for_device.emplace();
    facts.for_device->codec = media_.codec();
    facts.for_device->receive = media_.address();
    facts.for_device->telephone_event = device_->telephone_event;
  }
  return facts;
}

void Participant::change(std::unique_ptr<Activity> next) {
  if (gone_) return;
  if (activity_) {
    auto* old = activity_.get();
    services_.past_activities.push_back(std::move(activity_));
    old->stop(nullptr);
    if (gone_) return;  // leaving it has ended the call
  }
  activity_ = std::move(next);
  auto* current = activity_.get();
  session_.log().debug("activity", {{"participantId", id_}, {"activity", current->name()}});
  current->begin();
  if (confirmed_ && activity_.get() == current) current->confirmed();
}

void Participant::go_on(std::unique_ptr<Activity> next) {
  if (activity_) activity_->keep_connection();
  change(std::move(next));
}

void Participant::decide(const CallEvent& event) {
  if (event.end.status >= 300) tell_referrer(event.end.status);
  if (ends_after_fallback(*this, event)) return;
  if (device_ && event.is_drop()) {
    services_.application.notify(application(), "callEvent", call_event_body(services_, *this, event));
    hang_up(event.end, call_completed);
    return;
  }
  if (const auto opened = device_ ? open_device_media(nullptr) : Result<void>{}; !opened) {
    alarm("ivrCommandError", "mediaServerError", {{"description", opened.error().message}});
    hang_up(EndReason::error);
    return;
  }
  change(std::make_unique<Deciding>(services_, *this, event));
}

sdp::Outcome<void> Participant::check_offer(const std::string& sdp, bool for_device) {
  offer_ = sdp;
  for_device_ = for_device;
  if (sdp.empty()) return {};
  return for_device ? sdp::DeviceNegotiator::read_offer(sdp).map([](const auto&) {}) : media_.check(sdp);
}

void Participant::refuse_call(const sdp::Problem& problem) {
  alarm("callError", "invalidSdp", {{"description", problem.message}});
  hang_up(End{EndReason::error, 488, problem.message, {}}, {488, "Not acceptable here"},
          warning_of(problem, services_.settings.media_address));
}

void Participant::ask_new_call(const sip::Message& invite, const sip::Flow& flow) {
  auto body = new_call_members(*inbound_, invite, flow);
  for (auto& member : session_.callback_members()) body.insert(member);
  body["ivrServer"] = services_.settings.node_address;
  body["domain"] = session_.domain();
  body["participantId"] = id_;
  body["replyId"] = services_.tokens.issue(reply_subject());
  change(std::make_unique<Deciding>(services_, *this, std::move(body)));
}

Result<void> Participant::describe() {
  if (!description_.empty()) return {};
  auto sdp = media_.prepare(offer_);
  if (!sdp) return tl::unexpected(sdp.error());
  description_ = std::move(*sdp);
  return {};
}

bool Participant::answer() {
  if (answered_) return true;
  if (const auto described = describe(); !described) {
    alarm("ivrCommandError", "mediaServerError", {{"description", described.error().message}});
    hang_up(End{EndReason::error, 503, described.error().message, {}}, {503, "No media port"});
    return false;
  }
  media_.start();
  return answer_with(description_);
}

bool Participant::answer_with(const std::string& sdp) {
  description_ = sdp::succeeding(description_, sdp);
  answered_ = services_.sip.answer(sip_leg_, description_, {}, services_.now);
  if (!answered_) hang_up(End{EndReason::cancelled, 487, "Request cancelled", {}}, no_decision);  // just now
  if (answered_ && proof_ != CallerProof::secret) media_.expect_confirmation(services_.settings.unconfirmed_media);
  return answered_;
}

void Participant::enter_ivr(std::optional<RecordingWish> recording) {
  stop_ringback();
  if (answer())
    change(
        std::make_unique<Ivr>(services_, *this, std::move(recording)));  // keys may be pressed before the ACK has come
}

bool Participant::start_ringback(Ringback kind) {
  if (is_inbound() && !answered_) {
    const bool offers = services_.sip.wants_early_offer(sip_leg_);
    if (offers && for_device_) return true;  // what there is to offer is not known before the device answers
    const bool early_media = kind != Ringback::remote_generated && (!offer_.empty() || offers || described());
    const int status = early_media ? 183 : 180;
    if (early_media || offers) {
      if (const auto described = describe(); !described) return answer();  // which fails in the same way, and tells it
      media_.start();
      if (proof_ == CallerProof::none) media_.expect_confirmation(services_.settings.unconfirmed_early_media);
    }
    if (provisional_ != status)
      services_.sip.provisional(sip_leg_, status, early_media || offers ? description_ : "", {}, services_.now);
    provisional_ = status;
    if (!early_media) return true;  // the phone rings by itself
  }
  if (kind == Ringback::silent) {
    stop_ringback();
    return true;
  }
  if (ringback_) return true;
  audio::Tone tone;
  tone.plan = application().service->tone_plan;
  tone.name = "ringback";
  tone.length = std::chrono::seconds(60);  // whole cadences in each plan
  ringback_.emplace(services_, media_.leg());
  ringback_->start(std::move(tone), codec(), std::chrono::milliseconds(0), [this](const std::string& problem) {
    alarm("ivrCommandError", "phraseError", {{"format", "ringbackTone"}, {"description", problem}});
  });
  return true;
}

void Participant::stop_ringback() {
  if (ringback_) ringback_->stop();
  ringback_.reset();
}

Result<void> Participant::enter_trunk(const std::string& target) {
  const auto domain = services_.directory()->domain(session_.domain());
  const auto uri = sip::Uri::parse(target);
  const auto* trunk = domain && uri ? domain->trunk_for(uri->scheme, uri->host) : nullptr;
  if (trunk == nullptr) return {};
  placed_->trunk = trunk->name;
  auto place = services_.limits->enter(*domain, trunk, services_.now);
  if (!place) return fail(place.error().what);
  trunk_place_ = std::move(*place);
  return {};
}

Result<void> Participant::place(sip::OutgoingInvite invite, const Participant* like) {
  auto offer = media_.offer(like == nullptr ? nullptr : &like->media_);
  if (!offer) {
    placed_ = LegLine{id_, session_.domain(), invite.target, {}, {}};
    log_not_answered(End{EndReason::failed, 0, offer.error().message, {}});
    return tl::unexpected(offer.error());
  }
  return place_with(std::move(invite), std::move(*offer));
}

Result<void> Participant::place_with(sip::OutgoingInvite invite, std::string sdp) {
  placed_ = LegLine{id_, session_.domain(), invite.target, {}, {}};
  auto entered = enter_trunk(invite.target);
  description_ = sdp;
  invite.sdp = std::move(sdp);
  const auto leg = entered ? services_.sip.invite(std::move(invite), services_.now) : tl::unexpected(entered.error());
  if (!leg) {
    log_not_answered(End{EndReason::failed, 0, leg.error().message, {}});
    return tl::unexpected(leg.error());
  }
  sip_leg_ = *leg;
  call_id_ = placed_->call_id = services_.sip.call_id(sip_leg_);
  services_.sip_legs.emplace(sip_leg_, this);
  if (session_.application().call_id.empty()) session_.set_call_id(call_id_);
  log_leg_placed(session_.log(), *placed_);
  return {};
}

void Participant::log_not_answered(const End& end) {
  if (placed_ && !answered_) log_leg_failed(session_.log(), *placed_, end);
  placed_.reset();
}

void Participant::established() {
  answered_ = confirmed_ = true;
  media_.start_timeout_watch();
}

void Participant::set_connection(std::string connection, std::string other_id, std::string other_user) {
  connection_id_ = std::move(connection);
  recordings_ = 0;
  remote_id_ = std::move(other_id);
  if (!other_user.empty()) remote_user_ = std::move(other_user);
}

void Participant::send(const PartyAddress& to, PartyMessage message) {
  services_.letters.push_back({address(), to, std::move(message)});
}

bool Participant::take_answer(const std::string& sdp) {
  const bool late_reinvite = std::exchange(late_reinvite_, false);
  if (activity_->description_answered(sdp)) return !gone_;
  const bool was_held = media_.held();
  if (const auto taken = media_.complete(sdp); !taken) {
    lost_media(taken.error().message);
    return false;
  }
  if (ringback_) ringback_->codec_changed(media_.codec());
  activity_->codec_changed();
  if (late_reinvite) tell_change("reInvite", was_held);
  return true;
}

void Participant::show_life() {
  media_.confirm();
  unconfirmed_place_.leave();
}

void Participant::acknowledged(const sip::Acknowledged& ack) {
  show_life();
  static constexpr auto missing = "the ACK has no answer to our offer";
  if (ack.unanswered && !confirmed_) {
    lost_media(missing);
    return;
  }
  if (ack.unanswered) {  // to a re-INVITE: the session goes on as it was
    late_reinvite_ = false;
    alarm("callError", "invalidSdp", {{"description", missing}});
    activity_->description_missing();
  }
  if (!ack.sdp.empty() && !take_answer(ack.sdp)) return;
  if (confirmed_ || gone_) return;
  confirmed_ = true;
  media_.start_timeout_watch();
  activity_->confirmed();
}

void Participant::provisional_acknowledged(const sip::ProvisionalAcknowledged& prack) {
  show_life();
  if (prack.unanswered) {
    lost_media("the PRACK has no answer to our offer");
  } else if (!prack.sdp.empty()) {
    take_answer(prack.sdp);
  }
}

void Participant::progress(const sip::Progress& progress) {
  activity_->progress(progress);
}

void Participant::answered_by(const sip::Answered& answer) {
  activity_->answered(answer);
}

void Participant::lost_media(const std::string& problem) {
  alarm("callError", "invalidSdp", {{"description", problem}});
  hang_up(End{EndReason::error, 488, problem, {}}, {488, "Not acceptable here"});
}

void Participant::cancelled(const std::string& sip_reason) {
  session_.finish(*this, End{EndReason::cancelled, 487, {}, sip_reason});
}

void Participant::offer_received(const sip::OfferReceived& offer) {
  if (activity_->offer_received(offer)) return;
  const bool was_held = media_.held();
  const auto old_codec = media_.codec();
  const auto sdp = media_.respond(offer.sdp);
  if (!sdp) {
    refuse_offer(sdp.error());
    return;
  }
  answer_offer(*sdp);
  if (ringback_ && media_.codec() != old_codec) ringback_->codec_changed(media_.codec());
  if (media_.codec() != old_codec) activity_->codec_changed();
  late_reinvite_ = offer.sdp.empty();
  if (!late_reinvite_)
    tell_change(offer.method == sip::OfferReceived::Method::invite ? "reInvite" : "update", was_held);
}

void Participant::tell_change(std::string_view event, bool was_held) {
  Change change;
  change.changed = media_.changed();
  if (media_.held() != was_held) change.hold = media_.held();
  if (change.hold) activity_->hold_changed(*change.hold);
  notify_change(event, change);
}

void Participant::refreshed(bool by_invite) {
  notify_change(by_invite ? "reInvite" : "update", {.changed = false});
}

void Participant::answer_offer(const std::string& sdp) {
  description_ = sdp::succeeding(description_, sdp);
  services_.sip.answer_offer(sip_leg_, description_, services_.now);
}

void Participant::refuse_offer(const sdp::Problem& problem) {
  services_.sip.reject_offer(sip_leg_, 488, warning_of(problem, services_.settings.media_address), services_.now);
  alarm("callError", "invalidSdp", {{"description", problem.message}});
}

bool Participant::offer_media(const std::string& sdp) {
  auto next = sdp::succeeding(description_, sdp);
  if (!services_.sip.offer(sip_leg_, next, services_.now)) return false;
  description_ = std::move(next);
  return true;
}

void Participant::offer_answered(int status, const std::string& sdp) {
  activity_->offer_answered(status, sdp);
}

Result<void> Participant::open_device_media(const Participant* like) {
  if (media_.is_open()) return {};
  auto opened = media_.connect(*device_, like == nullptr ? nullptr : &like->media_);
  if (opened) media_.start_timeout_watch();
  return opened;
}

void Participant::refresh_refused(int status) {
  reinvite_refused(status, "the session refresh");
}

void Participant::reinvite_refused(int status, const std::string& what) {
  session_.alarm("callError", "unexpectedReinviteResponse",
                 {{"description", what + " was answered " + std::to_string(status)}},
                 {{"status", std::to_string(status)}, {"participantId", id_}, {"user", user_}, {"callId", call_id_}});
}

void Participant::information_received(const std::string& content_type, const std::string& body) {
  if (const auto digit = dtmf_of_info(content_type, body)) activity_->signalled_digit(*digit);
}

void Participant::refer_received(const sip::ReferReceived& refer) {
  if (!application().service->allow_refer || !activity_->referred(refer))
    services_.sip.reject_refer(sip_leg_, 603, services_.now);
}

End Participant::end_of(const sip::Ended& end) {
  switch (end.cause) {
    case sip::EndCause::remote_bye:
    case sip::EndCause::local_bye:
      return {EndReason::normal, 0, {}, end.reason};
    case sip::EndCause::cancelled:
      return {EndReason::cancelled, 487, "Request cancelled", end.reason};
    case sip::EndCause::session_expired:
      alarm("callError", "sessionExpired", {{"description", "the other side did not refresh the session"}});
      return {EndReason::session_expired, 0, "Session expired", end.reason};
    case sip::EndCause::failed:
    case sip::EndCause::cancel_failed:
      if (answered_) return {EndReason::error, end.status, end.phrase, end.reason};
      return {reason_of_failure(end.status), end.status, end.phrase, end.reason};
    case sip::EndCause::no_ack:
      return {EndReason::error, 408, "The answer was never acknowledged", end.reason};
    case sip::EndCause::rejected:
    case sip::EndCause::transport_failed:
      break;
  }
  return {EndReason::error, end.status, end.phrase, end.reason};
}

void Participant::ended(const sip::Ended& end) {
  session_.finish(*this, end_of(end));
}

void Participant::media_event(const media::Event& event) {
  if (const auto* dtmf = std::get_if<media::DtmfReceived>(&event)) {
    activity_->digit_pressed(dtmf->digit);
  } else if (const auto* played = std::get_if<media::PlayEnded>(&event)) {
    activity_->play_ended(played->play);
  } else if (std::holds_alternative<media::FellSilent>(event)) {
    activity_->fell_silent();
  } else if (std::holds_alternative<media::Unconfirmed>(event)) {
    services_.metrics.refused("unconfirmedMedia");
    session_.log().info("sound stopped", {{"participantId", id_},
                                          {"why", "nothing shows that the caller is there: no ACK, PRACK or RTP"}});
  } else if (std::holds_alternative<media::RtpTimedOut>(event)) {
    static constexpr std::string_view what = "RTP media timeout";
    alarm("callError", what, {{"description", "no RTP came"}, {"participantId", id_}, {"user", user_}});
    hang_up(End{EndReason::rtp_timeout, 0, std::string(what), {}}, {480, what});
  }
}

void Participant::receive(const Letter& letter) {
  if (std::holds_alternative<JoinRequest>(letter.message)) {
    join_request(letter);
  } else if (std::holds_alternative<JoinAccepted>(letter.message) && !activity_->awaits(letter)) {
    send(letter.from, Left{End{EndReason::normal, 0, "The other party is in another connection", {}}});
  } else {
    activity_->message(letter);
  }
}

void Participant::join_request(const Letter& letter) {
  const auto& request = std::get<JoinRequest>(letter.message);
  if (activity_->awaits(letter)) return;  // each wants the other; one of the two requests is enough
  if (request.from.domain != session_.domain()) {
    send(letter.from, JoinRefused{"no such participant, or it has gone"});
  } else if (request.takes_place && activity_->replaced_by(request)) {
    return;
  } else if (!activity_->may_be_connected(letter.from) || !answered_) {
    send(letter.from, JoinRefused{"the participant is not waiting, in the IVR or alone"});
  } else {
    join(request);
  }
}

void Participant::join(const JoinRequest& request) {
  send(request.from.address, JoinAccepted{facts(), request.connection});
  change(std::make_unique<Joined>(services_, *this, JoinPlan{{Half::Role::called, request.from, request.connection}}));
}

void Participant::tell_referrer(int status) {
  if (!referrer_) return;
  if (refers_itself()) {
    services_.sip.notify_refer(sip_leg_, status, services_.now);
    if (status >= 200) referrer_.reset();
    return;
  }
  send(*referrer_, ReferProgress{status});
  if (status / 100 == 2) referrer_.reset();
}

Ivr::Interruption Participant::interrupt(std::string_view command) {
  auto* ivr = dynamic_cast<Ivr*>(activity_.get());
  return ivr == nullptr ? Ivr::Interruption::over : ivr->interrupt(command);
}

Result<void> Participant::start_recording(const std::string& file_name) {
  return activity_ ? activity_->start_recording(file_name) : fail("it has ended");
}

void Participant::stop_recording() {
  if (activity_) activity_->stop_recording();
}

void Participant::hang_up(EndReason reason) {
  hang_up(End{reason, 0, {}, {}}, reason == EndReason::normal ? call_completed : no_decision);
}

void Participant::left_ivr(CallEvent event, bool by_ivr) {
  event.connection = connection_id_;
  event.participant = id_;
  event.user = user_;
  event.remote_participant = remote_id_;
  event.remote_user = remote_user_;
  if (by_ivr) {
    std::swap(event.participant, event.remote_participant);
    std::swap(event.user, event.remote_user);
  }
  decide(event);
}

void Participant::leave_ivr(const Action& action) {
  carry_out(services_, *this, action, {"ivrCommandError", "getIvrCommand request error"});
}

bool Participant::refer_from_ivr(const sip::ReferReceived& refer, CallEvent event) {
  if (!services_.sip.accept_refer(refer.leg, services_.now)) return false;
  event.replaces = replaced_participant(services_, refer);
  referrer_ = address();
  left_ivr(std::move(event), false);
  return true;
}

void Participant::without_command() {
  without_decision(services_, *this);
}

void Participant::hang_up(const End& end, Refusal refusal, sip::Headers headers) {
  hang_up(end, refusal, std::move(headers), reason_header(refusal));
}

void Participant::hang_up(const End& end, Refusal refusal, sip::Headers headers, const std::string& reason) {
  if (gone_) return;
  if (refers_itself()) tell_referrer(603);
  // The user agent knows best how far the leg has come: an answer may wait for the caller's PRACK, or be on its way to
  // us.
  if (!services_.sip.bye(sip_leg_, reason, services_.now)) {
    if (is_inbound()) {
      if (refusal.status == 480 || refusal.status == 503) headers.emplace_back("Retry-After", "5");
      const auto status = refusal.status < 300 ? 480 : refusal.status;
      session_.log().info(
          "call rejected",
          {{"participantId", id_},
           {"status", std::to_string(status)},
           {"reason", to_string(end.reason)},
           ops::text("why", end.description.empty() ? refusal.text : std::string_view(end.description))});
      services_.sip.reject(sip_leg_, status, headers, services_.now);
    } else if (services_.sip.cancel(sip_leg_, reason, services_.now)) {
      services_.cancelled_legs.emplace(sip_leg_, CancelledLeg{application(), id_, user_, call_id_});
    }
  }
  session_.finish(*this, end);
}

void Participant::let_go(const End& end) {
  gone_ = true;
  log_not_answered(end);
  services_.sip_legs.erase(sip_leg_);
  services_.participants.erase(id_);
  if (activity_) {
    auto* last = activity_.get();
    services_.past_activities.push_back(std::move(activity_));
    last->stop(&end);
  }
  if (referrer_ && !refers_itself()) send(*referrer_, Left{end});
  stop_ringback();
  media_.release();
  trunk_place_ = {};
}

}  // namespace rw::call
