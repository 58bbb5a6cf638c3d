#pragma once

#include <optional>

#include "call/placed_call.h"
#include "sdp/device.h"

namespace rw::call {

/// The activity of a leg that was placed for a REST device (placeremotecall): the INVITE carries the device's offer.
class PlacedRemoteCall final : public PlacedCall {
 public:
  PlacedRemoteCall(Services& services, Participant& participant, std::chrono::milliseconds max_ring_time,
                   sdp::DeviceNegotiator negotiator)
      : PlacedCall(services, participant, max_ring_time), negotiator_(std::move(negotiator)) {}

  bool offer_received(const sip::OfferReceived& offer) override;

 private:
  Result<void> describe(const std::string& sdp) override;
  void taken() override;

  sdp::DeviceNegotiator negotiator_;
  std::optional<sdp::RemoteAudio> remote_;  ///< by the last description
};

}  // namespace rw::call
