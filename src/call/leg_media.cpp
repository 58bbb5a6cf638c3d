#include "call/leg_media.h"

#include <algorithm>
#include <utility>

#include "call/participant.h"
#include "call/session.h"
#include "ops/bound.h"

namespace rw::call {
namespace {

media::Direction to_media(sdp::Direction direction) {
  switch (direction) {
    case sdp::Direction::send_receive:
      return media::Direction::send_receive;
    case sdp::Direction::send_only:
      return media::Direction::send_only;
    case sdp::Direction::receive_only:
      return media::Direction::receive_only;
    case sdp::Direction::inactive:
      return media::Direction::inactive;
  }
  return media::Direction::inactive;
}

}  // namespace

sdp::Outcome<void> LegMedia::check(const std::string& offer) const {
  return sdp::Negotiator::check(offer, services_.settings.codecs, services_.settings.media_address);
}

void LegMedia::learn(const std::string& offer) {
  const auto session = sdp::Session::parse(offer);
  if (!session) return;
  const auto audio = std::ranges::find(session->media, "audio", &sdp::Media::type);
  if (audio != session->media.end()) payload_types_->learn(*audio, true);
}

sdp::Outcome<std::string> LegMedia::prepare(const std::string& offer) {
  if (auto opened = open(nullptr); !opened) return tl::unexpected(sdp::Problem(opened.error()));
  if (offer.empty()) return negotiator_->offer();
  auto answer = negotiator_->answer(offer);
  if (!answer) return tl::unexpected(answer.error());
  codec_ = answer->agreement.codec;
  settled_ = std::move(answer->agreement);
  return std::move(answer->sdp);
}

void LegMedia::start() {
  if (settled_) apply(*settled_, may_send_to(settled_->remote));
  settled_.reset();
}

sdp::Outcome<std::string> LegMedia::respond(const std::string& offer) {
  auto sdp = prepare(offer);
  start();
  return sdp;
}

Result<std::string> LegMedia::offer(const LegMedia* like) {
  if (auto opened = open(like); !opened) return tl::unexpected(opened.error());
  return negotiator_->offer();
}

sdp::Outcome<void> LegMedia::complete(const std::string& answer) {
  if (!negotiator_) return sdp::unserved(sdp::Unserved::other, "an answer without an offer");
  const auto agreement = negotiator_->accept(answer);
  if (!agreement) return tl::unexpected(agreement.error());
  apply(*agreement, may_send_to(agreement->remote));
  return {};
}

Result<void> LegMedia::connect(const sdp::DeviceAudio& device, const LegMedia* like) {
  if (!device.crypto.empty()) return fail("crypto: media that goes through the server can't be encrypted");
  if (auto opened = open(like); !opened) return opened;
  sdp::Agreement agreement;
  agreement.remote = agreement.remote_rtcp = device.receive;
  if (device.receive.port() < 65535)
    agreement.remote_rtcp.set_port(static_cast<std::uint16_t>(device.receive.port() + 1));
  agreement.codec = device.codec;
  agreement.payload_type = rtp::facts(device.codec).payload_type;
  agreement.receive = {{agreement.payload_type, agreement.codec}};
  if (device.telephone_event) {
    agreement.telephone_event_send = {*device.telephone_event, rtp::facts(device.codec).rtp_clock};
    agreement.telephone_event_receive = {*agreement.telephone_event_send};
  }
  apply(agreement, device.receive.port() >= net::first_unprivileged_port);  // the host has been looked at by then
  return {};
}

void LegMedia::start_timeout_watch() {
  if (is_open()) services_.media.start_timeout_watch(leg_);
}

void LegMedia::expect_confirmation(std::chrono::milliseconds time) {
  if (is_open()) services_.media.expect_confirmation(leg_, time);
}

void LegMedia::confirm() {
  if (is_open()) services_.media.confirm(leg_);
}

void LegMedia::release() {
  if (!is_open()) return;
  services_.media.release(leg_);
  services_.media_legs.erase(leg_);
  leg_ = 0;
  in_force_.reset();
}

Result<void> LegMedia::open(const LegMedia* like) {
  if (is_open()) return {};
  const auto made = services_.media.create(like == nullptr ? 0 : like->leg());
  if (!made) return tl::unexpected(made.error());
  leg_ = made->leg;
  services_.media_legs.emplace(leg_, &owner_);
  sdp::Capabilities ours;
  ours.codecs = services_.settings.codecs;
  if (like != nullptr && like->is_open()) {
    const auto preferred = std::find(ours.codecs.begin(), ours.codecs.end(), like->codec());
    if (preferred != ours.codecs.end()) std::rotate(ours.codecs.begin(), preferred, preferred + 1);
  }
  ours.address = services_.settings.media_address;
  ours.address.set_port(made->port);
  address_ = ours.address;
  ours.session_id = services_.ids.number() >> 2;  // below 2^62: some peers read it as a signed number
  ours.payload_types = payload_types_;
  negotiator_.emplace(std::move(ours));
  return {};
}

bool LegMedia::may_send_to(const net::Address& named) const {
  return named.is_unspecified() || named.port() == 0 || services_.settings.media_targets.allows(named);
}

void LegMedia::refused(const net::Address& target) {
  services_.metrics.refused("mediaTargets");
  if (std::exchange(told_of_target_, true)) return;
  owner_.session().log().info("media target refused",
                              {{"participantId", owner_.id()},
                               {"to", target.to_string()},
                               {"why",
                                "nothing is sent to such an address, unless RTP comes from one that may be used: "
                                "media.allow_targets"}});
}

void LegMedia::apply(const sdp::Agreement& agreement, bool allowed) {
  auto theirs = agreement;
  theirs.receive.clear();  // what may come depends on who has made the offer
  theirs.telephone_event_receive.clear();
  changed_ = in_force_ != theirs;
  in_force_ = std::move(theirs);
  codec_ = agreement.codec;
  held_ = agreement.held();
  media::LegParameters parameters;
  parameters.remote = agreement.remote;
  parameters.remote_rtcp = agreement.remote_rtcp;
  parameters.remote_allowed = allowed;
  if (!allowed) {
    refused(agreement.remote);
  } else if (!may_send_to(agreement.remote_rtcp)) {
    refused(agreement.remote_rtcp);
    parameters.remote_rtcp.set_port(0);
  }
  parameters.rtcp_mux = agreement.rtcp_mux;
  parameters.codec = agreement.codec;
  parameters.payload_type = agreement.payload_type;
  for (const auto& [payload_type, codec] : agreement.receive) parameters.receive.push_back({payload_type, codec});
  parameters.telephone_event_send = agreement.telephone_event_send;
  parameters.telephone_event_receive = agreement.telephone_event_receive;
  parameters.longest_packet_ms = agreement.packet_ms;
  parameters.direction = to_media(agreement.direction);
  services_.media.configure(leg_, std::move(parameters));
}

}  // namespace rw::call
