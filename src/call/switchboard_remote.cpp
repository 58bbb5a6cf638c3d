#include "call/alerting.h"
#include "call/outgoing_leg.h"
#include "call/placed_remote_call.h"
#include "call/remote.h"
#include "call/switchboard.h"

/// The API's commands for calls of REST devices.
namespace rw::call {

tl::expected<Participant*, Verdict> Switchboard::alerting(const ReplySubject& subject) const {
  const auto* session = this->session(subject.session);
  auto* participant = session == nullptr ? nullptr : session->participant(subject.participant);
  if (participant == nullptr) return tl::unexpected(Verdict{404, "notFound", "replyId: the call has ended"});
  if (dynamic_cast<Alerting*>(participant->activity()) != nullptr) return participant;
  if (dynamic_cast<Remote*>(participant->activity()) != nullptr)
    return tl::unexpected(Verdict{409, "wrongState", "replyId: the call has been answered"});
  return tl::unexpected(Verdict{400, "invalid", "replyId: it is not the one of a newRemoteCall"});
}

Verdict Switchboard::answer_remote_call(const ReplySubject& subject, const sdp::DeviceAudio& audio,
                                        const std::optional<boost::json::value>& reference, TimePoint now) {
  services_.now = now;
  const auto found = alerting(subject);
  if (!found) return found.error();
  const auto answered = dynamic_cast<Alerting&>(*(*found)->activity()).answer(audio, reference);
  const bool gone = !(*found)->answered();
  settle();
  if (!answered) return {400, "invalid", answered.error().message};
  return gone ? Verdict{409, "wrongState", "replyId: the caller has given up"} : Verdict{};
}

Verdict Switchboard::send_remote_call_ringback(const ReplySubject& subject, TimePoint now) {
  services_.now = now;
  const auto found = alerting(subject);
  if (!found) return found.error();
  (*found)->start_ringback(Ringback::remote_generated);
  settle();
  return {};
}

Verdict Switchboard::place_remote_call(const RemoteCallOrder& order, TimePoint now) {
  services_.now = now;
  const auto& call = order.call;
  const auto domain = services_.directory()->domain(call.service->domain);
  if (!domain) return {404, "notFound", "the domain is not served any more"};
  const auto source = call.destination.headers.sip_from.value_or("");
  auto invite = outgoing_invite(call.destination, LegOrigin{*domain, nullptr, source, services_.settings.outbound_proxy,
                                                            services_.settings.follow_redirects});
  if (!invite) return {400, "invalid", "destinationUri: " + invite.error().message};
  auto place = enter(*domain, {});
  if (!place) return refused(place.error());
  SessionHolder& holder = *this;
  auto& session = open(std::make_unique<Session>(services_, holder, call.service, call.trace_id, nullptr));
  session.hold(std::move(*place));
  if (call.session_reference) session.set_reference(*call.session_reference);
  auto& participant =
      session.add(std::make_unique<Participant>(services_, session, user_of(call.destination.address), source));
  sdp::DeviceNegotiator negotiator(order.audio, services_.ids.number() >> 2);
  if (const auto placed = participant.place_with(std::move(*invite), negotiator.offer()); !placed) {
    Verdict verdict{503, "unavailable", placed.error().message};
    session.discard();
    settle();
    return verdict;
  }
  session.log().info("remote call placed", {{"participantId", participant.id()}});
  participant.change(std::make_unique<PlacedRemoteCall>(services_, participant, call.destination.max_ring_time,
                                                        std::move(negotiator)));
  Verdict verdict;
  verdict.extra = placed_members(participant);
  settle();
  return verdict;
}

}  // namespace rw::call
