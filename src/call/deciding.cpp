#include "call/deciding.h"

#include <utility>

#include "call/fallback.h"
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
    : services_(services),
      participant_(participant),
      alarms_(new_call),
      body_(std::move(body)),
      asked_{new_call.type, new_call.failed} {}

Deciding::Deciding(Services& services, Participant& participant, const CallEvent& event)
    : services_(services),
      participant_(participant),
      alarms_(call_event),
      body_(call_event_body(services, participant, event)),
      asked_{call_event.type, call_event.failed, reason_if_dropped(event), event.replaces} {}

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
  carry_out(services_, participant_, *decision, asked_);
}

void Deciding::failed(std::string_view error, boost::json::object details) {
  participant_.alarm(alarms_.type, error, std::move(details));
  without_decision(services_, participant_);
}

}  // namespace rw::call
