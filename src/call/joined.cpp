#include "call/joined.h"

#include <utility>

#include "call/monitoring.h"
#include "call/outgoing_leg.h"
#include "call/participant.h"
#include "call/referring.h"

namespace rw::call {

Joined::Joined(Services& services, Participant& participant, JoinPlan plan)
    : Half(services, participant, plan.place),
      plan_(std::make_unique<JoinPlan>(std::move(plan))),
      player_(services, participant.media_leg(), *this),
      hold_music_(services, participant.media_leg()),
      recording_(services) {}

Joined::~Joined() = default;

const Phrases& Joined::own_greeting() const {
  return is_calling() ? plan_->greeting.caller : plan_->greeting.callee;
}

void Joined::begin() {
  Half::begin();
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

void Joined::phrases_failed(const PhraseFailure& failure) {
  participant_.alarm("ivrCommandError", failure.error(), failure.details("greeting"));
}

RecordingOrder Joined::recording_of(const RecordPhrase& phrase) {
  return participant_.file_recording(phrase.file_name, false);
}

void Joined::phrases_done() {
  greeted_ = true;
  send(GreetingHeard{});
  if (peer_greeted_) establish();
}

void Joined::establish() {
  if (std::exchange(established_, true)) return;
  if (is_calling()) services_.media.join(participant_.media_leg(), peer().media_leg);
  if (peer().held) set_peer_held(true);
  if (plan_->recording) {
    const auto [mine, theirs] = recorded_legs();
    recording_.start_or_tell(participant_.connection_recording(plan_->recording->file_name, peer().codec),
                             {mine, theirs});
  }
  if (confirmed_) announce();
}

/// The caller on the left, the callee on the right.
std::pair<RecordedLeg, RecordedLeg> Joined::recorded_legs() const {
  const std::uint8_t own = is_calling() ? 0 : 1;
  return {{participant_.media_leg(), media::RecordedSide::heard, own},
          {peer().media_leg, media::RecordedSide::heard, static_cast<std::uint8_t>(1 - own)}};
}

Result<void> Joined::start_recording(const std::string& file_name) {
  if (!established_) return fail("the parties are not connected yet");
  const auto [mine, theirs] = recorded_legs();
  return recording_.start(participant_.connection_recording(file_name, peer().codec), {mine, theirs});
}

void Joined::confirmed() {
  confirmed_ = true;
  if (established_) announce();
}

void Joined::announce() {
  if (std::exchange(announced_, true)) return;
  // One callAnswered for each session that the connection is in.
  if (is_calling()) participant_.notify_answered(participant_.facts(), peer());
  if (!is_calling() && peer().session != participant_.session().id())
    participant_.notify_answered(peer(), participant_.facts());
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
  monitor.set_connection(connection(), participant_.id(), {});
  if (const auto placed = monitor.place(std::move(*invite), &participant_); !placed) {
    failed(placed.error().message);
    session.finish(monitor, End{EndReason::failed, 503, placed.error().message, {}});
    return;
  }
  monitor_ = monitor.id();
  monitor.change(
      std::make_unique<RingingMonitor>(services_, monitor, MonitoredLegs{participant_.media_leg(), peer().media_leg}));
}

bool Joined::set_up_failed(const End& end) const {
  return !confirmed_ && end.reason == EndReason::error;
}

void Joined::stop(const End* end) {
  if (std::exchange(stopped_, true)) return;
  player_.stop();
  hold_music_.stop();
  recording_.stop();
  services_.media.part(participant_.media_leg());
  Half::stop(end);
  if (auto* monitor = participant_.session().participant(monitor_))
    monitor->hang_up(End{EndReason::normal, 0, {}, {}}, call_completed);
}

void Joined::signalled_digit(char digit) {
  send(DigitPressed{digit});
}

void Joined::play_ended(media::PlayId play) {
  player_.play_ended(play);
}

void Joined::codec_changed() {
  player_.codec_changed(participant_.codec());
  hold_music_.codec_changed(participant_.codec());
}

void Joined::hold_changed(bool held) {
  send(HoldChanged{held});
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
    services_.media.join(participant_.media_leg(), peer().media_leg);
  }
}

void Joined::peer_says(const Letter& letter) {
  if (std::holds_alternative<GreetingHeard>(letter.message)) {
    peer_greeted_ = true;
    if (greeted_) establish();
    if (!greeted_) play_greeting();
  } else if (const auto* digit = std::get_if<DigitPressed>(&letter.message)) {
    services_.media.send_digits(participant_.media_leg(), {media::unreported_play, std::string(1, digit->digit)});
  } else if (const auto* hold = std::get_if<HoldChanged>(&letter.message)) {
    peer().held = hold->held;
    if (established_) set_peer_held(hold->held);
  } else if (const auto* replaced = std::get_if<Replaced>(&letter.message)) {
    leave_quietly();
    participant_.join(replaced->by);
  } else if (const auto* refer = std::get_if<Referred>(&letter.message)) {
    take_refer(*refer);
  }
}

bool Joined::replaced_by(const JoinRequest& request) {
  if (!established_) return false;
  leave_quietly();
  send(Replaced{request});
  participant_.hang_up(End{}, call_completed);
  return true;
}

bool Joined::referred(const sip::ReferReceived& refer) {
  if (!established_ || !services_.sip.accept_refer(refer.leg, services_.now)) return false;
  leave_quietly();
  send(Referred{refer.refer_to, refer.referred_by, replaced_participant(services_, refer)});
  participant_.change(std::make_unique<Referring>(services_, participant_, refer.leg, peer().address));
  return true;
}

void Joined::take_refer(const Referred& refer) {
  leave_quietly();
  participant_.set_referrer(peer().address);
  auto about = event("refer", true, End{});
  about.refer_to = refer.refer_to;
  about.referred_by = refer.referred_by;
  about.replaces = refer.replaces;
  participant_.decide(about);
}

}  // namespace rw::call
