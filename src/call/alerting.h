#pragma once

#include <optional>
#include <string>

#include "call/activity.h"
#include "call/services.h"
#include "sdp/device.h"

namespace rw::call {

class Participant;

/// The activity of a call for a REST device: newRemoteCall has been sent, and it waits for answerremotecall. The reply
/// can only set the session's reference; without a usable one there is the alarm, and the caller gets the
/// fallback or 480.
class Alerting final : public Activity {
 public:
  /// How long a call waits to be answered (project choice); then the caller gets 480.
  static constexpr std::chrono::seconds longest{180};

  Alerting(Services& services, Participant& participant, std::string request_uri);

  std::string_view name() const override { return "Alerting"; }
  void begin() override;
  void stop(const End* end) override;
  bool offer_received(const sip::OfferReceived& offer) override;

  /// Answers the call for a device, which may end this activity. The error says why its media does not fit what the
  /// caller offers, and then nothing has changed. `reference`: replaces the session's, if there is one.
  Result<void> answer(sdp::DeviceAudio audio, std::optional<boost::json::value> reference);

 private:
  boost::json::object body() const;

  Services& services_;
  Participant& participant_;
  const std::string request_uri_;
  std::optional<callbacks::QuestionId> question_;
  Timer limit_;
};

}  // namespace rw::call
