#include "call/deciding.h"

#include <utility>

#include "call/connecting.h"
#include "call/direct.h"
#include "call/fallback.h"
#include "call/hunt.h"
#include "call/participant.h"
#include "call/session_reference.h"

namespace rw::call {
namespace {

constexpr Deciding::Alarms new_call{"newCall",
                                    "newCallEventError",
                                    "newCall request failed",
                                    "newCall response empty",
                                    "newCall response without action",
                                    "newCall response with unknown action"};
constexpr Deciding::Alarms call_event{"callEvent",
                                      "callEventError",
                                      "No response to callEvent request",
                                      "No response to callEvent request",
                                      "No action provided in callEvent response",
                                      "callEvent response with unknown action"};

std::string_view words_of(NoDecision::Kind kind, const Deciding::Alarms& alarms) {
  switch (kind) {
    case NoDecision::Kind::failed:
      return alarms.failed;
    case NoDecision::Kind::empty:
      return alarms.empty;
    case NoDecision::Kind::no_action:
      return alarms.no_action;
    case NoDecision::Kind::unknown_action:
      return alarms.unknown_action;
  }
  return alarms.failed;
}

/// A party that is dropped because the other one has gone does not change why the call ended.
EndReason reason_if_dropped(const CallEvent& event) {
  const bool gone = event.is_drop() || event.event == "callingPartyFailure";
  return gone ? event.end.reason : EndReason::rejected;
}

}  // namespace

boost::json::object call_event_body(Services& services, const Participant& participant, const CallEvent& event) {
  auto body = participant.session().callback_members();
  body["domain"] = participant.session().domain();
  body["event"] = event.event;
  body["ivrServer"] = services.settings.node_address;
  body["connectionId"] = event.connection;
  body["participantId"] = event.participant;
  body["user"] = event.user;
  if (!event.remote_participant.empty()) body["remoteParticipantId"] = event.remote_participant;
  body["remoteUser"] = event.remote_user;
  if (event.end.status != 0) body["sipResponseCode"] = event.end.status;
  if (!event.end.description.empty()) body["errorDescr"] = event.end.description;
  if (!event.end.sip_reason.empty()) body["sipReason"] = event.end.sip_reason;
  if (!event.refer_to.empty()) body["referTo"] = event.refer_to;
  if (!event.referred_by.empty()) body["referredBy"] = event.referred_by;
  if (!event.replaces.empty()) body["replacesParticipantId"] = event.replaces;
  body["replyId"] = services.tokens.issue(participant.reply_subject());
  return body;
}

Deciding::Deciding(Services& services, Participant& participant, boost::json::object body)
    : services_(services), participant_(participant), alarms_(new_call), body_(std::move(body)) {}

Deciding::Deciding(Services& services, Participant& participant, const CallEvent& event)
    : services_(services),
      participant_(participant),
      alarms_(call_event),
      body_(call_event_body(services, participant, event)),
      reason_if_dropped_(reason_if_dropped(event)),
      replaces_(event.replaces) {}

void Deciding::begin() {
  if (participant_.answered()) participant_.stop_ringback();
  question_ = services_.application.ask(participant_.application(), std::string(alarms_.event), std::move(body_),
                                        [this](const tl::expected<callbacks::Reply, callbacks::Failure>& reply) {
                                          question_.reset();
                                          decided(reply);
                                        });
}

void Deciding::stop(const End* /*end*/) {
  if (question_) services_.application.forget(*question_);
  question_.reset();
}

bool Deciding::may_be_connected(const PartyAddress& /*by*/) const {
  return participant_.answered();
}

void Deciding::decided(const tl::expected<callbacks::Reply, callbacks::Failure>& reply) {
  if (reply) participant_.check_members(alarms_.event, reply->body);
  const auto domain = services_.directory()->domain(participant_.session().domain());
  const auto decision =
      read_action(reply, participant_.phrase_context(), domain.get(), participant_.application().service->drop_codes);
  if (!decision) {
    failed(words_of(decision.error().kind, alarms_), decision.error().details);
    return;
  }
  if (auto reference = given_reference(reply->body)) participant_.set_session_reference(std::move(*reference));
  std::visit([this](const auto& action) { perform(action); }, *decision);
}

void Deciding::failed(std::string_view error, boost::json::object details) {
  participant_.alarm(alarms_.type, error, std::move(details));
  without_decision(services_, participant_);
}

void Deciding::perform(const DropAction& drop) {
  participant_.hang_up(End{reason_if_dropped_, 0, {}, {}}, drop.refusal);
}

void Deciding::perform(const IvrAction& ivr) {
  participant_.enter_ivr(ivr.recording);
}

void Deciding::perform(const ConnectAction& connect) {
  const bool takes_place = !replaces_.empty() && connect.participant_id == replaces_;
  participant_.change(std::make_unique<Connecting>(
      services_, participant_,
      Connecting::Order{connect.participant_id, takes_place, alarms_.type, alarms_.failed, connect.recording}));
}

void Deciding::perform(const HttpCallAction& call) {
  if (participant_.is_device()) {
    failed(alarms_.failed, {{"field", "action"}, {"description", "action: a device can't be joined with a device"}});
    return;
  }
  auto& session = participant_.session();
  auto& device = session.add(
      std::make_unique<Participant>(services_, session, participant_.remote_user(), participant_.user(), call.device));
  const auto connection = services_.ids.uuid();
  device.change(std::make_unique<DeviceHalf>(services_, device,
                                             Half::Place{Half::Role::called, participant_.facts(), connection}));
  participant_.change(std::make_unique<Direct>(services_, participant_,
                                               Half::Place{Half::Role::calling, device.facts(), connection},
                                               call.device, call.recording));
}

void Deciding::perform(const CallPlan& plan) {
  for (const auto& [field, address] : plan.unusable)
    participant_.alarm(alarms_.type, "Invalid sip address: " + address, {{"field", field}, {"address", address}});
  if (plan.destinations.empty()) {
    without_decision(services_, participant_);
  } else {
    participant_.change(std::make_unique<Hunt>(services_, participant_, plan));
  }
}

}  // namespace rw::call
