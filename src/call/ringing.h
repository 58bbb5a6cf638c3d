#pragma once

#include <chrono>

#include "call/activity.h"
#include "call/services.h"

namespace rw::call {

class Participant;

/// The activity of a leg that is being placed, until it is answered or has failed. What comes of it is for the kinds
/// of it to say. The INVITE is on its way when it begins.
class Ringing : public Activity {
 public:
  Ringing(Services& services, Participant& participant, std::chrono::milliseconds max_ring_time)
      : services_(services), participant_(participant), max_ring_time_(max_ring_time) {}

  std::string_view name() const override { return "Ringing"; }
  void begin() override;
  void stop(const End* end) override;
  void progress(const sip::Progress& progress) override;
  void answered(const sip::Answered& answer) override;

 protected:
  /// The other side's description answers ours. The error says why it can't be used.
  virtual Result<void> describe(const std::string& sdp);
  /// The other side sends sound before it answers.
  virtual void early_media() {}
  /// It has answered, and its media runs.
  virtual void taken() = 0;
  /// It has not, and is gone.
  virtual void failed(const End& end) = 0;

  Services& services() { return services_; }
  Participant& participant() { return participant_; }

 private:
  Services& services_;
  Participant& participant_;
  const std::chrono::milliseconds max_ring_time_;
  Timer limit_;
  bool rang_ = false;
};

}  // namespace rw::call
