#include "call/switchboard.h"

#include <algorithm>

namespace rw::call {
namespace {

constexpr Refusal stopping{503, "Server is stopping"};

/// Whether the caller's network and key let it in (section 12): with no networks configured, whoever can reach us
/// may call.
bool is_trusted(const tenant::Domain& domain, const sip::IncomingInvite& invite) {
  if (!domain.restricts_callers()) return true;
  const auto* key = invite.request->header("X-Trunk-Key");
  return std::any_of(domain.trunks.begin(), domain.trunks.end(), [&](const tenant::Trunk& trunk) {
    const bool network = std::any_of(trunk.allow.begin(), trunk.allow.end(),
                                     [&](const net::Network& allowed) { return allowed.contains(invite.flow.remote); });
    return network && (trunk.key.empty() || (key != nullptr && *key == trunk.key));
  });
}

Verdict not_found(std::string what) {
  return {404, "notFound", std::move(what)};
}

}  // namespace

Switchboard::Switchboard(Services& services, DirectorySource directory)
    : services_(services), directory_(std::move(directory)) {}

Switchboard::~Switchboard() = default;

void Switchboard::sip_event(const sip::Event& event, TimePoint now) {
  services_.now = now;
  dispatch(event);
  sweep();
}

void Switchboard::media_event(const media::Event& event, TimePoint now) {
  services_.now = now;
  const auto leg = std::visit([](const auto& one) { return one.leg; }, event);
  if (const auto found = services_.media_legs.find(leg); found != services_.media_legs.end())
    found->second->media_event(event);
  sweep();
}

void Switchboard::advance(TimePoint now) {
  services_.now = now;
  services_.timers.advance(now);
  sweep();
}

void Switchboard::run(const std::function<void()>& answer, TimePoint now) {
  services_.now = now;
  answer();
  sweep();
}

void Switchboard::dispatch(const sip::Event& event) {
  if (const auto* invite = std::get_if<sip::IncomingInvite>(&event)) {
    new_call(*invite);
    return;
  }
  const auto leg = std::visit([](const auto& one) { return one.leg; }, event);
  const auto found = by_sip_leg_.find(leg);
  if (found == by_sip_leg_.end()) return;  // it has been finished; the user agent is only tidying up
  Participant& participant = *found->second;
  struct Visitor {
    Participant& participant;
    void operator()(const sip::IncomingInvite&) const {}
    void operator()(const sip::InviteCancelled&) const { participant.cancelled(); }
    void operator()(const sip::Acknowledged& ack) const { participant.acknowledged(ack.sdp); }
    void operator()(const sip::ProvisionalAcknowledged&) const {}
    void operator()(const sip::OfferReceived& offer) const { participant.offer_received(offer); }
    void operator()(const sip::Refreshed& refreshed) const { participant.refreshed(refreshed.by_invite); }
    void operator()(const sip::InformationReceived& info) const {
      participant.information_received(info.content_type, info.body);
    }
    void operator()(const sip::Ended& end) const { participant.ended(end); }
    // Of legs that we call, and of offers that we make: there are none here.
    void operator()(const sip::Progress&) const {}
    void operator()(const sip::Answered&) const {}
    void operator()(const sip::OfferAnswered&) const {}
    void operator()(const sip::ReferReceived&) const {}
  };
  std::visit(Visitor{participant}, event);
}

void Switchboard::new_call(const sip::IncomingInvite& invite) {
  auto call = InboundCall::read(*invite.request);
  const auto directory = directory_();
  const auto domain = directory->domain_for_host(call.called_host);
  if (domain == nullptr) {
    refuse(invite.leg, 404, "no such domain", call);
    return;
  }
  if (!is_trusted(*domain, invite)) {
    refuse(invite.leg, 403, "no trunk of the domain allows this source", call);
    return;
  }
  auto service = domain->service_for(call.called_party);
  if (service == nullptr) {
    refuse(invite.leg, 404, "no mediaservice has this number", call);
    return;
  }
  const auto call_id = call.call_id;
  const auto trace_id = call.trace_id;
  SessionHolder& holder = *this;
  auto fresh = std::make_unique<Session>(services_, holder, std::move(service), trace_id, call_id);
  Session& session = *fresh;
  sessions_.emplace(session.id(), std::move(fresh));
  auto& participant = session.add(std::make_unique<Participant>(services_, session, invite.leg, std::move(call)));
  by_sip_leg_.emplace(invite.leg, &participant);
  services_.metrics.call_started();
  session.log().info("call received", {{"from", invite.flow.remote.to_string()}, {"participantId", participant.id()}});
  if (const auto usable = participant.check_offer(invite.request->body()); !usable) {
    session.alarm("callError", "invalidSdp", {{"description", usable.error().message}});
    participant.hang_up(EndReason::error, {488, "Not acceptable here"});
    return;
  }
  participant.ask_new_call(*invite.request, invite.flow);
}

void Switchboard::refuse(sip::LegId leg, int status, std::string_view why, const InboundCall& call) {
  services_.log.info("call refused", {{"callId", call.call_id}, {"status", std::to_string(status)}, {"why", why}});
  services_.sip.reject(leg, status, {}, services_.now);
}

Session* Switchboard::session(std::string_view id) const {
  const auto found = sessions_.find(std::string(id));
  return found == sessions_.end() ? nullptr : found->second.get();
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
  sweep();
  switch (outcome) {
    case Ivr::Interruption::done:
      return {};
    case Ivr::Interruption::too_early:
      return {409, "wrongState", "replyId: the application has not answered this getIvrCommand yet"};
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
  const auto* session = this->session(subject.session);
  if (session == nullptr) return not_found("replyId: the session has ended");
  auto* participant = session->participant(participant_id.empty() ? subject.participant : participant_id);
  if (participant == nullptr) return not_found("participantId: no such participant in the session, or it has ended");
  participant->hang_up(EndReason::api_hangup, {480, "Hung up by the application"});
  sweep();
  return {};
}

void Switchboard::end_all(TimePoint now) {
  services_.now = now;
  while (!sessions_.empty()) sessions_.begin()->second->end_all(EndReason::shutdown, stopping);
  sweep();
}

void Switchboard::participant_gone(const Participant& participant) {
  by_sip_leg_.erase(participant.sip_leg());
  touched_.push_back(&participant.session());
}

void Switchboard::session_over(const std::string& session_id) {
  const auto found = sessions_.find(session_id);
  over_.push_back(std::move(found->second));
  sessions_.erase(found);
}

void Switchboard::sweep() {
  for (auto* session : touched_) session->sweep();
  touched_.clear();
  over_.clear();
}

}  // namespace rw::call
