#include "call/remote.h"

#include <utility>

#include "call/deciding.h"
#include "call/participant.h"

namespace rw::call {
namespace {

/// We have ended it, not the other side.
bool is_our_doing(EndReason reason) {
  return reason == EndReason::api_hangup || reason == EndReason::max_duration || reason == EndReason::shutdown;
}

}  // namespace

Remote::Remote(Services& services, Participant& participant, Start start)
    : services_(services),
      participant_(participant),
      negotiator_(std::move(start.negotiator)),
      remote_(std::move(start.remote)),
      question_(start.question),
      device_id_(services.ids.uuid()),
      device_user_(participant.remote_user()) {}

void Remote::begin() {
  participant_.set_connection(services_.ids.uuid(), device_id_, device_user_);
}

void Remote::confirmed() {
  if (std::exchange(announced_, true)) return;
  if (!remote_) return participant_.lost_media("the ACK has no answer to our offer");
  PartyFacts device;
  device.address.participant = device_id_;
  device.user = device_user_;
  device.for_device = remote_;
  if (participant_.is_inbound()) {
    participant_.notify_answered(participant_.facts(), device);
  } else {
    participant_.notify_answered(device, participant_.facts());
  }
}

bool Remote::offer_received(const sip::OfferReceived& offer) {
  late_reinvite_ = offer.sdp.empty();
  if (late_reinvite_) {
    participant_.answer_offer(negotiator_.offer());
  } else if (auto answer = negotiator_.answer(offer.sdp)) {
    participant_.answer_offer(answer->sdp);
    follow(offer.method == sip::OfferReceived::Method::invite ? "reInvite" : "update", std::move(answer->remote));
  } else {
    participant_.refuse_offer(answer.error());
  }
  return true;
}

void Remote::follow(std::string_view event, sdp::RemoteAudio remote) {
  const auto before = std::exchange(remote_, std::move(remote));
  Participant::Change change{.changed = before != remote_, .media = &*remote_};
  if (!before || before->held != remote_->held) change.hold = remote_->held;
  participant_.notify_change(event, change);
}

bool Remote::description_answered(const std::string& sdp) {
  const bool late_reinvite = std::exchange(late_reinvite_, false);
  auto remote = negotiator_.accept(sdp);
  if (!remote) {
    participant_.lost_media(remote.error().message);
  } else if (late_reinvite) {
    follow("reInvite", std::move(*remote));
  } else {
    remote_ = std::move(*remote);
  }
  return true;
}

void Remote::stop(const End* end) {
  if (question_) services_.application.forget(*std::exchange(question_, std::nullopt));
  if (end != nullptr && !is_our_doing(end->reason)) tell_drop(*end);
}

void Remote::tell_drop(const End& end) {
  CallEvent event;
  event.event = participant_.is_inbound() ? "callingPartyDrop" : "calledPartyDrop";
  event.participant = participant_.id();
  event.user = participant_.user();
  event.remote_participant = device_id_;
  event.remote_user = device_user_;
  event.connection = participant_.connection();
  event.end = end;
  // Nobody is left for whom the answer could decide anything.
  services_.application.notify(participant_.application(), "callEvent",
                               call_event_body(services_, participant_, event));
}

}  // namespace rw::call
