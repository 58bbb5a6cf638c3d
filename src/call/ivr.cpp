#include "call/ivr.h"

#include <algorithm>

#include "call/action.h"
#include "call/session_reference.h"

namespace rw::call {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds default_ask_after{1000};
/// A command that neither plays nor waits must not make us ask in a busy loop.
constexpr milliseconds shortest_round{100};

}  // namespace

Ivr::Ivr(Services& services, IvrHost& host, std::optional<RecordingWish> recording)
    : services_(services),
      host_(host),
      id_(services.ids.uuid()),
      player_(services, host.media_leg(), *this),
      background_(services, host.media_leg()),
      wanted_recording_(std::move(recording)),
      recording_(services) {}

void Ivr::stop(const End* /*end*/) {
  state_ = State::leaving;
  if (question_) services_.application.forget(*question_);
  question_.reset();
  timer_.cancel();
  ask_after_.cancel();
  player_.stop();
  background_.stop();
  recording_.stop();
}

void Ivr::confirmed() {
  if (state_ != State::idle) return;
  host_.connected_to_ivr(id_);
  if (wanted_recording_) record(*wanted_recording_);
  if (host_.application().service->identify_calls) {
    identify();
  } else {
    ask();
  }
}

/// What the party says, and what it is played: the caller on the left.
std::pair<RecordedLeg, RecordedLeg> Ivr::recorded_sides() const {
  const std::uint8_t said = host_.is_caller() ? 0 : 1;
  return {{host_.media_leg(), media::RecordedSide::heard, said},
          {host_.media_leg(), media::RecordedSide::sent, static_cast<std::uint8_t>(1 - said)}};
}

void Ivr::record(const RecordingWish& wish) {
  const auto [said, played] = recorded_sides();
  recording_.start_or_tell(host_.ivr_recording(wish.file_name), {said, played});
}

Result<void> Ivr::start_recording(const std::string& file_name) {
  if (!connected()) return fail("it is not connected with the IVR now");
  const auto [said, played] = recorded_sides();
  return recording_.start(host_.ivr_recording(file_name), {said, played});
}

RecordingOrder Ivr::recording_of(const RecordPhrase& phrase) {
  return host_.file_recording(phrase.file_name, command_.recorded_callback);
}

void Ivr::identify() {
  state_ = State::identifying;
  boost::json::object body{{"sessionId", host_.application().session_id}, {"calledParty", host_.called_party()}};
  question_ = services_.application.ask(host_.application(), "getCallIdentifier", std::move(body), [this](auto reply) {
    question_.reset();
    if (reply) host_.check_members("getCallIdentifier", reply->body);
    // A call without an identifier is better than no call: the failure is told, and the flow goes on.
    if (!reply) {
      auto details = details_of(reply.error());
      details["event"] = "getCallIdentifier";
      host_.alarm("ivrCommandError", "getIvrCommand request error", std::move(details));
    } else if (auto reference = given_reference(reply->body)) {
      host_.set_session_reference(std::move(*reference));
    }
    ask();
  });
}

void Ivr::ask() {
  state_ = State::asking;
  timer_.cancel();
  ask_after_.cancel();
  command_id_ = services_.ids.uuid();
  question_ = services_.application.ask(host_.application(), "getIvrCommand", request(), [this](auto reply) {
    question_.reset();
    replied(std::move(reply));
  });
  last_result_.reset();
}

boost::json::object Ivr::request() const {
  auto subject = host_.reply_subject();
  subject.command = command_id_;
  boost::json::object body{{"sessionId", host_.application().session_id},
                           {"ivrServer", services_.settings.node_address},
                           {"replyId", services_.tokens.issue(subject)}};
  if (const auto* reference = host_.session_reference()) body["sessionReferenceId"] = *reference;
  const auto shown = [this](const std::string& digits) {
    return encryption_ && !digits.empty() ? encryption_->apply(digits) : digits;
  };
  if (!digits_.buffer().empty()) body["dtmfBuffer"] = shown(digits_.buffer());
  if (last_result_) {
    boost::json::object parameters{{"dtmfMatch", shown(last_result_->digits)},
                                   {"reason", to_string(last_result_->reason)}};
    if (last_result_->termination_key != 0)
      parameters["matchedTerminationKey"] = std::string(1, last_result_->termination_key);
    if (encryption_) parameters["encryption"] = {{"type", encryption_->type_name()}, {"salt", encryption_->salt}};
    body["dtmfParams"] = std::move(parameters);
  }
  return body;
}

void Ivr::replied(tl::expected<callbacks::Reply, callbacks::Failure> reply) {
  if (!reply) {
    const bool empty = reply.error().kind == callbacks::Failure::Kind::empty;
    failed(empty ? "Empty body in getIvrCommand response" : "getIvrCommand request error", details_of(reply.error()));
    return;
  }
  host_.check_members("getIvrCommand", reply->body);
  const auto& service = *host_.application().service;
  const auto domain = reply->body.contains("action") ? services_.directory()->domain(service.domain) : nullptr;
  auto command = read_ivr_command(*reply, host_.phrase_context(), {domain.get(), service.drop_codes});
  if (!command) {
    const auto& what = command.error().message;
    failed("getIvrCommand request error",
           {{"field", what.substr(0, what.find(": "))}, {"description", what}, {"status", reply->status}});
    return;
  }
  if (command->session_reference) host_.set_session_reference(*command->session_reference);
  run(std::move(*command));
}

void Ivr::failed(std::string_view error, boost::json::object details) {
  state_ = State::leaving;
  host_.alarm("ivrCommandError", error, std::move(details));
  host_.without_command();
}

void Ivr::run(IvrCommand command) {
  command_ = std::move(command);
  matched_.reset();
  if (command_.dtmf) {
    if (command_.dtmf->flush) {
      digits_.flush();
      encryption_.reset();
    }
    if (command_.dtmf->encryption) encryption_ = command_.dtmf->encryption;
  }
  if (command_.background) change_background(*command_.background);
  if (const auto* stay = command_.action ? std::get_if<IvrAction>(&*command_.action) : nullptr) {
    if (stay->recording && !recording_.running()) record(*stay->recording);
    command_.action.reset();
  }
  state_ = State::playing;
  player_.stop();  // what it has to tell is the command's before
  failed_phrases_ = 0;
  phrases_ = command_.phrases.size();
  player_.start(std::move(command_.phrases), host_.codec());
  if (state_ == State::playing) check_digits();  // type-ahead
}

void Ivr::change_background(const IvrCommand::Background& wanted) {
  wanted_background_.reset();
  background_.stop();
  background_pause_ = wanted.pause;
  if (wanted.stop) return;
  if (const auto* bad = std::get_if<BadPhrase>(&wanted.source)) {
    background_failed(bad->format, bad->problem);
  } else if (const auto* request = std::get_if<audio::SoundRequest>(&std::get<Phrase>(wanted.source).content)) {
    wanted_background_ = *request;
  }
}

void Ivr::digit_pressed(char digit) {
  if (digits_.take_trailing(digit, services_.now) || player_.take_digit(digit)) return;
  digits_.press(digit, services_.now);
  last_digit_ = services_.now;
  if (state_ == State::playing && command_.dtmf && command_.barge_in_on_digit) barge_in();
  if (state_ == State::playing || state_ == State::collecting) check_digits();
  if (state_ == State::collecting) collect();  // the next digit has betweenTimeout from now
}

void Ivr::check_digits() {
  if (!command_.dtmf || matched_) return;
  auto match = digits_.match(command_.dtmf->rule);
  if (!match) return;
  matched_ = std::move(match);
  if (state_ == State::collecting) {
    end_collection(*matched_);
  } else if (!command_.barge_in_on_digit) {
    barge_in();
  }
}

void Ivr::barge_in() {
  if (command_.barge_in == IvrCommand::BargeIn::current) player_.skip_current();
  if (command_.barge_in == IvrCommand::BargeIn::all) {
    player_.stop();
    phrases_done();
  }
}

void Ivr::phrases_failed(const PhraseFailure& failure) {
  failed_phrases_ += failure.count;
  host_.alarm("ivrCommandError", failure.error(), failure.details());
}

void Ivr::background_failed(const std::string& format, const std::string& problem) {
  host_.alarm("ivrCommandError", "phraseError", {{"format", format}, {"description", problem}});
}

void Ivr::phrases_done() {
  if (phrases_ > 0 && failed_phrases_ == phrases_ && !player_.has_played())
    host_.alarm("ivrCommandError", "IVR command failed",
                {{"field", "phrases"}, {"phrases", phrases_}, {"description", "none of the phrases could be played"}});
  if (command_.hang_up) {
    state_ = State::leaving;
    host_.hang_up(EndReason::normal);
    return;
  }
  if (command_.action) {
    state_ = State::leaving;
    host_.leave_ivr(*command_.action);
    return;
  }
  start_background();
  if (matched_) {
    end_collection(*matched_);
    return;
  }
  if (command_.dtmf) {
    if (command_.ask_after) {
      ask_after_ =
          services_.timers.start(services_.now + std::max(*command_.ask_after, shortest_round), [this] { ask(); });
    }
    state_ = State::collecting;
    last_digit_ = services_.now;  // neither time-out begins before the phrases have ended
    check_digits();
    if (state_ == State::collecting) collect();
    return;
  }
  if (command_.ask_after) {
    pause(std::max(*command_.ask_after, player_.has_played() ? milliseconds(0) : shortest_round));
  } else if (player_.has_played()) {
    ask();
  } else {
    pause(default_ask_after);
  }
}

void Ivr::collect() {
  const auto patience = digits_.waiting() ? command_.dtmf->rule.between_timeout : command_.dtmf->first_timeout;
  const auto floor = player_.has_played() ? milliseconds(0) : shortest_round;
  timer_ =
      services_.timers.start(last_digit_ + std::max(patience, floor), [this] { end_collection(digits_.time_out()); });
}

void Ivr::end_collection(DtmfResult result) {
  last_result_ = std::move(result);
  ask();
}

void Ivr::pause(milliseconds length) {
  state_ = State::pausing;
  timer_ = services_.timers.start(services_.now + length, [this] { ask(); });
}

void Ivr::start_background() {
  if (!wanted_background_ || background_.running()) return;
  background_.start(*wanted_background_, host_.codec(), background_pause_,
                    [this](const std::string& problem) { background_failed("backgroundPrompt", problem); });
}

Ivr::Interruption Ivr::interrupt(std::string_view command) {
  if (command != command_id_ || state_ == State::leaving) return Interruption::over;
  if (state_ == State::asking) return Interruption::too_early;
  player_.stop();
  ask();
  return Interruption::done;
}

bool Ivr::split() {
  if (!connected()) return false;
  CallEvent event;
  event.event = host_.is_caller() ? "callerConnectionSplit" : "calleeConnectionSplit";
  host_.left_ivr(std::move(event), false);
  return true;
}

bool Ivr::hang_up_remote(const End& end) {
  if (!connected()) return false;
  CallEvent event;
  event.event = host_.is_caller() ? "calledPartyDrop" : "callingPartyDrop";
  event.end = end;
  host_.left_ivr(std::move(event), true);
  return true;
}

bool Ivr::referred(const sip::ReferReceived& refer) {
  if (!connected()) return false;
  CallEvent event;
  event.event = "refer";
  event.refer_to = refer.refer_to;
  event.referred_by = refer.referred_by;
  return host_.refer_from_ivr(refer, std::move(event));
}

void Ivr::codec_changed() {
  player_.codec_changed(host_.codec());
  background_.codec_changed(host_.codec());
}

}  // namespace rw::call
