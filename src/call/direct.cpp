#include "call/direct.h"

#include <algorithm>
#include <array>
#include <utility>

#include "call/joined.h"
#include "call/participant.h"

namespace rw::call {
namespace {

/// How a party says that it can't do what is offered; anything else is told (section 10).
bool is_expected_refusal(int status) {
  return std::ranges::count(std::array{415, 488, 606}, status) != 0;
}

}  // namespace

Direct::Direct(Services& services, Participant& participant, Place place, sdp::DeviceAudio device,
               std::optional<RecordingWish> recording)
    : Half(services, participant, std::move(place)),
      negotiator_(std::move(device), services.ids.number() >> 2),
      recording_(std::move(recording)) {}

void Direct::begin() {
  Half::begin();
  if (participant_.answered()) return;
  if (participant_.described()) {  // early media: the 200 has to say the same (RFC 3261 13.2.1)
    participant_.answer();
    return;
  }
  const auto sdp = describe_device();
  if (sdp) {
    state_ = State::answering;
    participant_.answer_with(*sdp);
  } else if (participant_.answer()) {
    relay();
  }
}

Result<std::string> Direct::describe_device() {
  if (participant_.offer().empty()) {
    late_ = true;
    return negotiator_.offer();
  }
  auto answer = negotiator_.answer(participant_.offer());
  if (!answer) return tl::unexpected(answer.error());
  remote_ = std::move(answer->remote);
  return std::move(answer->sdp);
}

void Direct::confirmed() {
  if (state_ == State::waiting) {
    offer();
  } else if (state_ == State::answering) {
    announce();
  }
}

void Direct::offer() {
  state_ = State::offering;
  if (!participant_.offer_media(negotiator_.offer())) relay();
}

void Direct::offer_answered(int status, const std::string& sdp) {
  if (state_ != State::offering) return;
  if (status >= 300) {
    if (!is_expected_refusal(status)) participant_.reinvite_refused(status, "the re-INVITE for a device's media");
    relay();
    return;
  }
  auto remote = negotiator_.accept(sdp);
  if (!remote) {
    participant_.lost_media(remote.error().message);
    return;
  }
  remote_ = std::move(*remote);
  participant_.media().release();
  announce();
}

void Direct::announce() {
  state_ = State::direct;
  auto device = peer();
  device.for_device = remote_;
  participant_.notify_answered(participant_.facts(), device);
}

/// The two go on with the connection, through our media.
void Direct::relay() {
  auto* device = participant_.session().participant(peer().address.participant);
  if (device == nullptr) return;  // its letter is on the way
  if (const auto opened = device->open_device_media(&participant_); !opened) {
    participant_.alarm("ivrCommandError", "mediaServerError", {{"description", opened.error().message}});
    participant_.hang_up(EndReason::error);
    return;
  }
  JoinPlan to_device{{Role::called, participant_.facts(), connection()}};
  JoinPlan to_party{{Role::calling, device->facts(), connection()}};
  to_party.recording = recording_;
  device->go_on(std::make_unique<Joined>(services_, *device, std::move(to_device)));
  participant_.go_on(std::make_unique<Joined>(services_, participant_, std::move(to_party)));
}

bool Direct::offer_received(const sip::OfferReceived& offer) {
  if (is_ours()) return false;
  if (!offer.sdp.empty()) participant_.media().learn(offer.sdp);
  if (offer.sdp.empty()) {
    late_ = true;
    participant_.answer_offer(negotiator_.offer());
    return true;
  }
  auto answer = negotiator_.answer(offer.sdp);
  if (!answer) {
    participant_.refuse_offer(answer.error());
    return true;
  }
  participant_.answer_offer(answer->sdp);
  follow(offer.method == sip::OfferReceived::Method::invite ? "reInvite" : "update", std::move(answer->remote));
  return true;
}

void Direct::follow(std::string_view event, sdp::RemoteAudio remote) {
  const auto before = std::exchange(remote_, std::move(remote));
  Participant::Change change{.changed = before != remote_, .media = &remote_};
  if (before.held != remote_.held) change.hold = remote_.held;
  participant_.notify_change(event, change);
}

bool Direct::description_answered(const std::string& sdp) {
  if (is_ours()) return false;
  late_ = false;
  auto remote = negotiator_.accept(sdp);
  if (!remote) {
    participant_.lost_media(remote.error().message);
    return true;
  }
  if (state_ == State::direct) {
    follow("reInvite", std::move(*remote));
  } else {
    remote_ = std::move(*remote);
  }
  return true;
}

void Direct::left(const CallEvent& event) {
  if (state_ == State::waiting) {
    participant_.decide(event);
  } else {
    participant_.change(std::make_unique<Returning>(services_, participant_, event,
                                                    Returning::Pending{state_ == State::offering, late_}));
  }
}

void Returning::begin() {
  if (!pending_.offer) offer();
}

void Returning::offer() {
  const auto sdp = participant_.media().offer(nullptr);
  if (!sdp) participant_.alarm("ivrCommandError", "mediaServerError", {{"description", sdp.error().message}});
  if (!sdp || !participant_.offer_media(*sdp)) participant_.hang_up(EndReason::error);
}

void Returning::offer_answered(int status, const std::string& sdp) {
  if (std::exchange(pending_.offer, false)) {
    if (status < 300) {
      offer();
    } else {  // its media has never left us
      participant_.decide(event_);
    }
    return;
  }
  if (status >= 300) {
    participant_.reinvite_refused(status, "the re-INVITE that brings the media back");
    participant_.hang_up(EndReason::error);
  } else if (const auto taken = participant_.media().complete(sdp); !taken) {
    participant_.lost_media(taken.error().message);
  } else {
    participant_.media().start_timeout_watch();
    participant_.decide(event_);
  }
}

}  // namespace rw::call
