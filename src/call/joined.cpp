#include "call/joined.h"

#include <utility>

#include "call/monitoring.h"
#include "call/outgoing_leg.h"
#include "call/participant.h"
#include "call/referring.h"

namespace rw::call {

Joined::Joined(Services& services, Participant& participant, JoinPlan plan)
    : services_(services),
      participant_(participant),
      plan_(std::make_unique<JoinPlan>(std::move(plan))),
      player_(services, participant.media_leg(), *this),
      hold_music_(services, participant.media_leg()),
      recording_(services) {}

Joined::~Joined() = default;

bool Joined::is_calling() const {
  return plan_->role == Role::calling;
}

const Phrases& Joined::own_greeting() const {
  return is_calling() ? plan_->greeting.caller : plan_->greeting.callee;
}

void Joined::begin() {
  participant_.stop_ringback();
  participant_.tell_referrer(200);
  participant_.set_connection(plan_->connection, plan_->peer.address.participant, plan_->peer.user);
  const auto& greeting = plan_->greeting;
  greeted_ = own_greeting().empty();
  peer_greeted_ = (is_calling() ? greeting.callee : greeting.caller).empty();
  if (greeted_ && peer_greeted_) {
    establish();
    return;
  }
  services_.media.part(participant_.media_leg());  // early media is over
  const auto first =
      greeting.mode == Greeting::Mode::simultaneous || (greeting.mode == Greeting::Mode::caller_first) == is_calling();
  if (first || peer_greeted_) play_greeting();
}

void Joined::play_greeting() {
  if (greeted_ || player_.playing()) return;
  player_.start(own_greeting(), participant_.codec());
}

void Joined::phrase_failed(const std::string& format, const std::string& problem, bool timed_out) {
  participant_.alarm("ivrCommandError", timed_out ? "phraseRemoteCacheTimeout" : "phraseError",
                     {{"format", format}, {"field", "greeting"}, {"description", problem}});
}

RecordingOrder Joined::recording_of(const RecordPhrase& phrase) {
  return participant_.file_recording(phrase.file_name, false);
}

void Joined::phrases_done() {
  greeted_ = true;
  participant_.send(plan_->peer.address, GreetingHeard{});
  if (peer_greeted_) establish();
}

void Joined::establish() {
  if (std::exchange(established_, true)) return;
  if (is_calling()) services_.media.join(participant_.media_leg(), plan_->peer.media_leg);
  if (plan_->peer.held) set_peer_held(true);
  if (plan_->recording) {
    const auto [own, peer] = recorded_legs();
    recording_.start_or_tell(participant_.connection_recording(plan_->recording->file_name, plan_->peer.codec),
                             {own, peer});
  }
  if (confirmed_) announce();
}

/// The caller on the left, the callee on the right.
std::pair<RecordedLeg, RecordedLeg> Joined::recorded_legs() const {
  const std::uint8_t own = is_calling() ? 0 : 1;
  return {{participant_.media_leg(), media::RecordedSide::heard, own},
          {plan_->peer.media_leg, media::RecordedSide::heard, static_cast<std::uint8_t>(1 - own)}};
}

Result<void> Joined::start_recording(const std::string& file_name) {
  if (!established_) return fail("the parties are not connected yet");
  const auto [own, peer] = recorded_legs();
  return recording_.start(participant_.connection_recording(file_name, plan_->peer.codec), {own, peer});
}

void Joined::confirmed() {
  confirmed_ = true;
  if (established_) announce();
}

void Joined::announce() {
  if (std::exchange(announced_, true)) return;
  // One callAnswered for each session that the connection is in.
  if (is_calling()) participant_.notify_answered(participant_.facts(), plan_->peer);
  if (!is_calling() && plan_->peer.session != participant_.session().id())
    participant_.notify_answered(plan_->peer, participant_.facts());
  if (plan_->monitor) place_monitor();
}

void Joined::place_monitor() {
  auto& session = participant_.session();
  const MonitorPlan& plan = plan_->monitor->plan;
  const auto failed = [&](const std::string& why) {
    session.log().warning("the monitor can't be called",
                          {ops::personal("address", plan.address), ops::text("why", why)});
  };
  const auto domain = services_.directory()->domain(session.domain());
  if (!domain) return failed("the domain is not served any more");
  auto invite = monitor_invite(plan, plan_->monitor->monitored,
                               LegOrigin{*domain, session.inbound(), participant_.user(),
                                         services_.settings.outbound_proxy, services_.settings.follow_redirects});
  if (!invite) return failed(invite.error().message);
  auto& monitor =
      session.add(std::make_unique<Participant>(services_, session, user_of(plan.address), participant_.user()));
  monitor.set_connection(plan_->connection, participant_.id(), {});
  if (const auto placed = monitor.place(std::move(*invite), &participant_); !placed) {
    failed(placed.error().message);
    session.finish(monitor, End{EndReason::failed, 503, placed.error().message, {}});
    return;
  }
  monitor_ = monitor.id();
  monitor.change(std::make_unique<RingingMonitor>(services_, monitor,
                                                  MonitoredLegs{participant_.media_leg(), plan_->peer.media_leg}));
}

void Joined::stop(const End* end) {
  if (std::exchange(stopped_, true)) return;
  player_.stop();
  hold_music_.stop();
  recording_.stop();
  services_.media.part(participant_.media_leg());
  if (!std::exchange(peer_knows_, true)) {
    if (end != nullptr) {
      const bool set_up_failed = !confirmed_ && end->reason == EndReason::error;
      participant_.send(plan_->peer.address, Left{*end, set_up_failed});
    } else {
      participant_.send(plan_->peer.address, Split{});
    }
  }
  if (auto* monitor = participant_.session().participant(monitor_))
    monitor->hang_up(End{EndReason::normal, 0, {}, {}}, call_completed);
}

void Joined::signalled_digit(char digit) {
  participant_.send(plan_->peer.address, DigitPressed{digit});
}

void Joined::play_ended(media::PlayId play) {
  player_.play_ended(play);
}

void Joined::codec_changed() {
  player_.codec_changed(participant_.codec());
  hold_music_.codec_changed(participant_.codec());
}

void Joined::hold_changed(bool held) {
  participant_.send(plan_->peer.address, HoldChanged{held});
}

void Joined::set_peer_held(bool held) {
  const auto& music = participant_.application().service->hold_music;
  if (music.empty()) return;  // what the holding party sends is heard
  if (held) {
    services_.media.part(participant_.media_leg());
    hold_music_.start(
        audio::FilePrompt{participant_.session().domain(), music}, participant_.codec(), std::chrono::milliseconds(0),
        [this](const std::string& problem) {
          participant_.alarm("ivrCommandError", "phraseError", {{"format", "holdMusic"}, {"description", problem}});
        });
  } else {
    hold_music_.stop();
    services_.media.join(participant_.media_leg(), plan_->peer.media_leg);
  }
}

/// What the other party's end is for the application.
std::string_view Joined::name_of(const Left& left) const {
  if (left.set_up_failed) return is_calling() ? "calledPartyFailure" : "callingPartyFailure";
  return is_calling() ? "calledPartyDrop" : "callingPartyDrop";
}

void Joined::message(const Letter& letter) {
  if (letter.from.participant != plan_->peer.address.participant) return;  // of an earlier connection
  if (std::holds_alternative<GreetingHeard>(letter.message)) {
    peer_greeted_ = true;
    if (greeted_) establish();
    if (!greeted_) play_greeting();
  } else if (const auto* digit = std::get_if<DigitPressed>(&letter.message)) {
    services_.media.send_digits(participant_.media_leg(), {media::unreported_play, std::string(1, digit->digit)});
  } else if (const auto* hold = std::get_if<HoldChanged>(&letter.message)) {
    plan_->peer.held = hold->held;
    if (established_) set_peer_held(hold->held);
  } else if (const auto* left = std::get_if<Left>(&letter.message)) {
    peer_knows_ = true;
    ask(name_of(*left), true, left->end);
  } else if (std::holds_alternative<Split>(letter.message)) {
    peer_knows_ = true;
    ask_after_split();
  } else if (const auto* replaced = std::get_if<Replaced>(&letter.message)) {
    peer_knows_ = true;
    participant_.join(replaced->by);
  } else if (const auto* hang_up = std::get_if<HangUp>(&letter.message)) {
    participant_.hang_up(hang_up->end, {480, "Hung up by the application"});
  } else if (const auto* refer = std::get_if<Referred>(&letter.message)) {
    take_refer(*refer);
  }
}

bool Joined::replaced_by(const JoinRequest& request) {
  if (!established_) return false;
  peer_knows_ = true;
  participant_.send(plan_->peer.address, Replaced{request});
  participant_.hang_up(End{}, call_completed);
  return true;
}

bool Joined::referred(const sip::ReferReceived& refer) {
  if (!established_ || !services_.sip.accept_refer(refer.leg, services_.now)) return false;
  std::string replaces;
  if (const auto found = services_.sip_legs.find(refer.replaces); found != services_.sip_legs.end())
    replaces = found->second->id();
  peer_knows_ = true;
  participant_.send(plan_->peer.address, Referred{refer.refer_to, refer.referred_by, replaces});
  participant_.change(std::make_unique<Referring>(services_, participant_, refer.leg, plan_->peer.address));
  return true;
}

void Joined::take_refer(const Referred& refer) {
  peer_knows_ = true;
  participant_.set_referrer(plan_->peer.address);
  auto about = event("refer", true, End{});
  about.refer_to = refer.refer_to;
  about.referred_by = refer.referred_by;
  about.replaces = refer.replaces;
  participant_.decide(about);
}

bool Joined::split() {
  ask_after_split();  // leaving this activity tells the other half
  return true;
}

void Joined::ask_after_split() {
  ask(is_calling() ? "callerConnectionSplit" : "calleeConnectionSplit", false, End{});
}

bool Joined::hang_up_remote(const End& end) {
  participant_.send(plan_->peer.address, HangUp{end});
  return true;
}

void Joined::ask(std::string_view name, bool caused_by_peer, const End& end) {
  participant_.decide(event(name, caused_by_peer, end));
}

CallEvent Joined::event(std::string_view name, bool caused_by_peer, const End& end) const {
  CallEvent about;
  about.event = name;
  about.connection = plan_->connection;
  about.end = end;
  about.participant = participant_.id();
  about.user = participant_.user();
  about.remote_participant = plan_->peer.address.participant;
  about.remote_user = plan_->peer.user;
  if (caused_by_peer) {
    std::swap(about.participant, about.remote_participant);
    std::swap(about.user, about.remote_user);
  }
  return about;
}

}  // namespace rw::call
