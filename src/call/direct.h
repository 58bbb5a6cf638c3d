#pragma once

#include <optional>
#include <string>

#include "call/half.h"
#include "call/recording.h"
#include "sdp/device.h"

namespace rw::call {

/// The activity of a REST device's participant while its media runs directly to and from the other party: there is
/// nothing to do for it.
class DeviceHalf final : public Half {
 public:
  using Half::Half;
  std::string_view name() const override { return "DeviceHalf"; }
  void keep_connection() override { leave_quietly(); }
};

/// The activity of a SIP party that is joined with a REST device (`httpcall`), media directly between the two. An
/// unanswered caller gets the device's description in the 200, if its offer fits; whoever has a description of ours
/// already gets the device's in a re-INVITE. A party that refuses that is joined through our media (Joined).
class Direct final : public Half {
 public:
  /// `recording`: of the connection, if its media goes through us after all.
  Direct(Services& services, Participant& participant, Place place, sdp::DeviceAudio device,
         std::optional<RecordingWish> recording);

  std::string_view name() const override { return "Direct"; }
  void begin() override;
  void confirmed() override;
  bool offer_received(const sip::OfferReceived& offer) override;
  void offer_answered(int status, const std::string& sdp) override;
  bool description_answered(const std::string& sdp) override;
  void description_missing() override { late_ = false; }
  void keep_connection() override { leave_quietly(); }

 private:
  enum class State : std::uint8_t {
    waiting,    ///< answered with our media, for the ACK
    offering,   ///< the device's description by re-INVITE
    answering,  ///< our 200 has the device's description
    direct
  };

  Result<std::string> describe_device();
  void offer();
  void relay();
  void announce();
  void follow(std::string_view event, sdp::RemoteAudio remote);
  bool is_ours() const { return state_ == State::waiting || state_ == State::offering; }
  void left(const CallEvent& event) override;

  sdp::DeviceNegotiator negotiator_;
  sdp::RemoteAudio remote_;  ///< of the SIP party
  const std::optional<RecordingWish> recording_;
  State state_ = State::waiting;
  bool late_ = false;  ///< an ACK has to bring the answer
};

/// The activity of a SIP party whose connection with a device is over: its media comes back to us, by re-INVITE, before
/// the application is asked what is next.
class Returning final : public Activity {
 public:
  struct Pending {
    bool offer = false;   ///< the re-INVITE with the device's description has no answer yet
    bool answer = false;  ///< an ACK has yet to bring the answer to the device's description
  };
  Returning(Services& services, Participant& participant, CallEvent event, Pending pending)
      : services_(services), participant_(participant), event_(std::move(event)), pending_(pending) {}

  std::string_view name() const override { return "Returning"; }
  void begin() override;
  void stop(const End* /*end*/) override {}
  void offer_answered(int status, const std::string& sdp) override;
  bool description_answered(const std::string& /*sdp*/) override { return std::exchange(pending_.answer, false); }
  void description_missing() override { pending_.answer = false; }

 private:
  void offer();

  Services& services_;
  Participant& participant_;
  const CallEvent event_;
  Pending pending_;
};

}  // namespace rw::call
