#include "call/alerting.h"

#include <utility>

#include "base/utf8.h"
#include "call/action.h"
#include "call/device_media.h"
#include "call/fallback.h"
#include "call/participant.h"
#include "call/remote.h"
#include "call/session_reference.h"

namespace rw::call {
namespace {

/// Whether that is of use: nothing has to be said, so nothing said will do.
bool is_usable(const tl::expected<callbacks::Reply, callbacks::Failure>& reply) {
  return reply || reply.error().kind == callbacks::Failure::Kind::empty;
}

/// The participant may have been answered since it was asked about, and then goes on.
void replied(Services& services, Participant& participant,
             const tl::expected<callbacks::Reply, callbacks::Failure>& reply) {
  if (is_usable(reply)) {
    if (reply) participant.check_members("newRemoteCall", reply->body);
    auto reference = reply ? given_reference(reply->body) : std::nullopt;
    if (reference) participant.set_session_reference(std::move(*reference));
    return;
  }
  auto details = details_of(reply.error());
  details["event"] = "newRemoteCall";
  participant.alarm("newCallEventError", "newCall request failed", std::move(details));
  if (!participant.answered()) without_decision(services, participant);
}

}  // namespace

Alerting::Alerting(Services& services, Participant& participant, std::string request_uri)
    : services_(services), participant_(participant), request_uri_(to_utf8(std::move(request_uri))) {}

boost::json::object Alerting::body() const {
  const auto& session = participant_.session();
  auto body = session.callback_members();
  body["domain"] = session.domain();
  body["ivrServer"] = services_.settings.node_address;
  body["replyId"] = services_.tokens.issue(participant_.reply_subject());
  body["callId"] = participant_.call_id();
  body["destinationUri"] = request_uri_;
  body["sourceUser"] = session.inbound()->from_user;
  if (const auto remote = sdp::DeviceNegotiator::read_offer(participant_.offer())) {
    add_remote_audio(body, *remote);
    body["remoteRtpPort"] = remote->receive.port();
  }
  return body;
}

void Alerting::begin() {
  limit_ = services_.timers.start(services_.now + longest, [this] {
    participant_.hang_up(End{EndReason::no_answer, 480, "Not answered in time", {}}, no_decision);
  });
  question_ = services_.application.ask(participant_.application(), "newRemoteCall", body(),
                                        [&services = services_, id = participant_.id()](const auto& reply) {
                                          const auto found = services.participants.find(id);
                                          if (found != services.participants.end())
                                            replied(services, *found->second, reply);
                                        });
}

void Alerting::stop(const End* /*end*/) {
  limit_.cancel();
  if (question_) services_.application.forget(*std::exchange(question_, std::nullopt));
}

bool Alerting::offer_received(const sip::OfferReceived& /*offer*/) {
  participant_.refuse_offer(Error{"an offer before the call is answered"});
  return true;
}

Result<void> Alerting::answer(sdp::DeviceAudio audio, std::optional<boost::json::value> reference) {
  Remote::Start start{sdp::DeviceNegotiator(std::move(audio), services_.ids.number() >> 2), std::nullopt};
  std::string sdp;
  if (participant_.offer().empty()) {
    sdp = start.negotiator.offer();
  } else {
    auto answer = start.negotiator.answer(participant_.offer());
    if (!answer) return tl::unexpected(answer.error());
    sdp = std::move(answer->sdp);
    start.remote = std::move(answer->remote);
  }
  if (reference) participant_.set_session_reference(std::move(*reference));
  start.question = std::exchange(question_, std::nullopt);
  if (participant_.answer_with(sdp)) {
    participant_.change(std::make_unique<Remote>(services_, participant_, std::move(start)));
  } else if (start.question) {
    services_.application.forget(*start.question);
  }
  return {};
}

}  // namespace rw::call
