#pragma once

#include <optional>
#include <string>

#include "call/activity.h"
#include "call/services.h"
#include "sdp/device.h"

namespace rw::call {

class Participant;

/// The activity of a leg whose media is a REST device's, once it is answered: its session descriptions are the
/// device's, the application is told of the other side's, no media is ours.
class Remote final : public Activity {
 public:
  struct Start {
    sdp::DeviceNegotiator negotiator;
    std::optional<sdp::RemoteAudio> remote;              ///< nothing: the ACK brings it
    std::optional<callbacks::QuestionId> question = {};  ///< newRemoteCall, if it has not been answered yet
  };
  Remote(Services& services, Participant& participant, Start start);

  std::string_view name() const override { return "Remote"; }
  void begin() override;
  void stop(const End* end) override;
  void confirmed() override;
  bool offer_received(const sip::OfferReceived& offer) override;
  bool description_answered(const std::string& sdp) override;

 private:
  void follow(std::string_view event, sdp::RemoteAudio remote);
  void tell_drop(const End& end);

  Services& services_;
  Participant& participant_;
  sdp::DeviceNegotiator negotiator_;
  std::optional<sdp::RemoteAudio> remote_;
  std::optional<callbacks::QuestionId> question_;
  std::string device_id_;    ///< the device's place in the connection: a participant by id only
  std::string device_user_;  ///< its SIP user part
  bool announced_ = false;
  bool late_reinvite_ = false;  ///< an ACK has yet to say what a re-INVITE without a description is about
};

}  // namespace rw::call
