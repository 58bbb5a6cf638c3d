#include "call/leg_media.h"

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

Result<void> LegMedia::check(const std::string& offer) const {
  return sdp::Negotiator::check(offer, services_.settings.codecs);
}

Result<std::string> LegMedia::respond(const std::string& offer) {
  if (auto opened = open(); !opened) return tl::unexpected(opened.error());
  if (offer.empty()) return negotiator_->offer();
  auto answer = negotiator_->answer(offer);
  if (!answer) return tl::unexpected(answer.error());
  apply(answer->agreement);
  return std::move(answer->sdp);
}

Result<void> LegMedia::complete(const std::string& answer) {
  if (!negotiator_) return fail("an answer without an offer");
  const auto agreement = negotiator_->accept(answer);
  if (!agreement) return tl::unexpected(agreement.error());
  apply(*agreement);
  return {};
}

void LegMedia::start_timeout_watch() {
  if (is_open()) services_.media.start_timeout_watch(leg_);
}

void LegMedia::release() {
  if (!is_open()) return;
  services_.media.release(leg_);
  services_.media_legs.erase(leg_);
  leg_ = 0;
}

Result<void> LegMedia::open() {
  if (is_open()) return {};
  const auto made = services_.media.create();
  if (!made) return tl::unexpected(made.error());
  leg_ = made->leg;
  services_.media_legs.emplace(leg_, &owner_);
  sdp::Capabilities ours;
  ours.codecs = services_.settings.codecs;
  ours.address = services_.settings.media_address;
  ours.address.set_port(made->port);
  ours.session_id = services_.ids.number() >> 2;  // below 2^62: some peers read it as a signed number
  negotiator_.emplace(std::move(ours));
  return {};
}

void LegMedia::apply(const sdp::Agreement& agreement) {
  codec_ = agreement.codec;
  held_ = agreement.held();
  media::LegParameters parameters;
  parameters.remote = agreement.remote;
  parameters.remote_rtcp = agreement.remote_rtcp;
  parameters.rtcp_mux = agreement.rtcp_mux;
  parameters.codec = agreement.codec;
  parameters.payload_type = agreement.payload_type;
  for (const auto& [payload_type, codec] : agreement.receive) parameters.receive.push_back({payload_type, codec});
  parameters.telephone_event_send = agreement.telephone_event_send;
  parameters.telephone_event_receive = agreement.telephone_event_receive;
  parameters.direction = to_media(agreement.direction);
  services_.media.configure(leg_, std::move(parameters));
}

}  // namespace rw::call
