#include <algorithm>

#include "call/outgoing_leg.h"
#include "call/placed_call.h"
#include "call/switchboard.h"

/// The API's commands: each finds what it is about, and says why it can't be done.
namespace rw::call {
namespace {

Verdict not_found(std::string what) {
  return {404, "notFound", std::move(what)};
}

Verdict wrong_state(std::string what) {
  return {409, "wrongState", std::move(what)};
}

constexpr Refusal by_application{480, "Hung up by the application"};

End hung_up_by_application() {
  return {EndReason::api_hangup, 487, std::string(by_application.text), {}};
}

}  // namespace

Session* Switchboard::session(std::string_view id) const {
  const auto found = sessions_.find(std::string(id));
  return found == sessions_.end() ? nullptr : found->second.get();
}

tl::expected<Participant*, Verdict> Switchboard::participant(const ReplySubject& subject,
                                                             const std::string& participant_id) const {
  const auto* session = this->session(subject.session);
  if (session == nullptr) return tl::unexpected(not_found("replyId: the session has ended"));
  auto* participant = session->participant(participant_id.empty() ? subject.participant : participant_id);
  if (participant == nullptr)
    return tl::unexpected(not_found("participantId: no such participant in the session, or it has ended"));
  return participant;
}

/// Who talks to the IVR that has that id as a participant; null: nobody.
Participant* Switchboard::party_of_ivr(const ReplySubject& subject, const std::string& ivr) const {
  const auto* session = this->session(subject.session);
  if (session == nullptr || ivr.empty()) return nullptr;
  const auto found = std::ranges::find_if(session->participants(), [&](const auto& one) { return one->ivr() == ivr; });
  return found == session->participants().end() ? nullptr : found->get();
}

Verdict Switchboard::interrupt_ivr_command(const ReplySubject& subject, const std::string& session_id, TimePoint now) {
  services_.now = now;
  if (!session_id.empty() && session_id != subject.session)
    return not_found("sessionId: the replyId belongs to another session");
  const auto* session = this->session(subject.session);
  auto* participant = session == nullptr ? nullptr : session->participant(subject.participant);
  if (participant == nullptr) return not_found("replyId: the session or its participant has ended");
  if (subject.command.empty()) return {400, "invalid", "replyId: it is not the one of a getIvrCommand request"};
  const auto outcome = participant->interrupt(subject.command);
  settle();
  switch (outcome) {
    case Ivr::Interruption::done:
      return {};
    case Ivr::Interruption::too_early:
      return wrong_state("replyId: the application has not answered this getIvrCommand yet");
    case Ivr::Interruption::over:
      break;
  }
  return not_found("replyId: this IVR command is over");
}

Verdict Switchboard::hang_up_participant(const ReplySubject& subject, const std::string& participant_id,
                                         const std::string& session_id, TimePoint now) {
  services_.now = now;
  if (!session_id.empty() && session_id != subject.session)
    return not_found("sessionId: the replyId belongs to another session");
  if (auto* party = party_of_ivr(subject, participant_id)) {
    party->hang_up_remote(hung_up_by_application());
    settle();
    return {};
  }
  const auto found = participant(subject, participant_id);
  if (!found) return found.error();
  (*found)->hang_up(hung_up_by_application(), by_application);
  settle();
  return {};
}

Verdict Switchboard::hang_up_remote_participant(const ReplySubject& subject, const std::string& participant_id,
                                                TimePoint now) {
  services_.now = now;
  if (auto* party = party_of_ivr(subject, participant_id)) {
    party->hang_up(hung_up_by_application(), by_application);
    settle();
    return {};
  }
  const auto found = participant(subject, participant_id);
  if (!found) return found.error();
  const bool done = (*found)->hang_up_remote(hung_up_by_application());
  settle();
  return done ? Verdict{}
              : wrong_state("participantId: the participant is not connected with another party or the IVR");
}

Verdict Switchboard::hang_up_call(const ReplySubject& subject, TimePoint now) {
  services_.now = now;
  auto* session = this->session(subject.session);
  if (session == nullptr) return not_found("replyId: the session has ended");
  session->end_all(hung_up_by_application(), {486, by_application.text});
  settle();
  return {};
}

/// Those of the session who are in the connection; at least one.
tl::expected<std::vector<Participant*>, Verdict> Switchboard::parties(const ReplySubject& subject,
                                                                      const std::string& connection_id) const {
  const auto* session = this->session(subject.session);
  if (session == nullptr) return tl::unexpected(not_found("replyId: the session has ended"));
  const auto& wanted = connection_id.empty() ? subject.connection : connection_id;
  if (wanted.empty()) return tl::unexpected(Verdict{400, "invalid", "replyId: it is not the one of a connection"});
  std::vector<Participant*> found;
  for (const auto& one : session->participants())
    if (one->connection() == wanted && !one->is_monitor()) found.push_back(one.get());
  if (found.empty()) return tl::unexpected(not_found("connectionId: no such connection in the session, or it is over"));
  return found;
}

Verdict Switchboard::split_connection(const ReplySubject& subject, const std::string& connection_id, TimePoint now) {
  services_.now = now;
  const auto found = parties(subject, connection_id);
  if (!found) return found.error();
  const bool done = found->front()->split();
  settle();
  return done ? Verdict{}
              : wrong_state("connectionId: the connection is not one of two parties, or of one and the IVR");
}

Verdict Switchboard::start_recording(const ReplySubject& subject, const std::string& connection_id,
                                     const std::string& file_name, TimePoint now) {
  services_.now = now;
  const auto found = parties(subject, connection_id);
  if (!found) return found.error();
  if (std::ranges::any_of(*found, &Participant::is_recording))
    return wrong_state("connectionId: the connection is being recorded already");
  const auto started = found->front()->start_recording(file_name);
  settle();
  return started ? Verdict{}
                 : wrong_state("connectionId: the connection can't be recorded: " + started.error().message);
}

Verdict Switchboard::stop_recording(const ReplySubject& subject, const std::string& connection_id, TimePoint now) {
  services_.now = now;
  const auto found = parties(subject, connection_id);
  if (!found) return found.error();
  const auto recording = std::ranges::find_if(*found, &Participant::is_recording);
  if (recording == found->end()) return wrong_state("connectionId: the connection is not being recorded");
  (*recording)->stop_recording();
  settle();
  return {};
}

namespace {

/// The user part of who calls: the application's sipFrom, else the mediaservice.
std::string caller_name(const PlacedCallOrder& order) {
  const auto& from = order.destination.headers.sip_from;
  if (!from) return order.service->id;
  auto user = user_of(*from);
  return user.empty() ? *from : user;
}

}  // namespace

Verdict Switchboard::place_ivr_call(const PlacedCallOrder& order, TimePoint now) {
  services_.now = now;
  const auto domain = services_.directory()->domain(order.service->domain);
  if (!domain) return not_found("the domain is not served any more");
  auto invite = outgoing_invite(order.destination,
                                LegOrigin{*domain, nullptr, order.service->id, services_.settings.outbound_proxy,
                                          services_.settings.follow_redirects});
  if (!invite) return {400, "invalid", invite.error().message};
  auto place = enter(*domain, {});
  if (!place) return refused(place.error());
  SessionHolder& holder = *this;
  auto& session = open(std::make_unique<Session>(services_, holder, order.service, order.trace_id, nullptr));
  session.hold(std::move(*place));
  if (order.session_reference) session.set_reference(*order.session_reference);
  auto& participant = session.add(
      std::make_unique<Participant>(services_, session, user_of(order.destination.address), caller_name(order)));
  if (const auto placed = participant.place(std::move(*invite), nullptr); !placed) {
    Verdict verdict{503, "unavailable", placed.error().message};
    session.discard();
    settle();
    return verdict;
  }
  session.log().info("call placed", {{"participantId", participant.id()}});
  participant.change(std::make_unique<PlacedCall>(services_, participant, order.destination.max_ring_time));
  Verdict verdict;
  verdict.extra = placed_members(participant);
  settle();
  return verdict;
}

/// What the API answers about a call that it has placed.
boost::json::object Switchboard::placed_members(const Participant& participant) const {
  return {{"sessionId", participant.session().id()},
          {"participantId", participant.id()},
          {"traceId", participant.session().application().trace_id},
          {"replyId", services_.tokens.issue(participant.reply_subject())}};
}

}  // namespace rw::call
