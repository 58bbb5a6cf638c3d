#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "call/activity.h"
#include "call/call_plan.h"
#include "call/ringing.h"
#include "call/services.h"
#include "sip/user_agent.h"

namespace rw::call {

class HuntedLeg;

/// The activity of a participant for which somebody is called (the action `call`): it hears ringback while the
/// destinations are tried, one after the other or all at once. The first to answer is joined with it; if none does, the
/// application is asked again (calledPartyFailure).
class Hunt final : public Activity {
 public:
  Hunt(Services& services, Participant& caller, CallPlan plan);

  std::string_view name() const override { return "Hunt"; }
  void begin() override;
  void stop(const End* end) override;
  bool hang_up_remote(const End& end) override;

  // ---- from its legs
  void early_media(const Participant& callee);
  void taken(HuntedLeg& leg);
  void failed(HuntedLeg& leg, const End& end);
  Participant& caller() { return caller_; }

 private:
  struct Failure {
    std::string participant, user;
    End end;
  };

  void next();
  bool try_place(const Destination& destination);
  bool ends_hunt(int status) const;
  void remember(Failure failure);
  void give_up();
  void abandon(const End& end, Refusal refusal, const std::string& reason);

  Services& services_;
  Participant& caller_;
  CallPlan plan_;
  const std::string connection_;
  std::size_t next_ = 0;          ///< destination to be tried
  std::vector<HuntedLeg*> legs_;  ///< that ring
  bool placing_ = false;
  bool over_ = false;
  std::optional<Failure> failure_;  ///< to be told if nobody answers
};

/// The activity of a leg that a Hunt has placed.
class HuntedLeg final : public Ringing {
 public:
  /// `invite`: as it was sent, for who listens to the call.
  HuntedLeg(Services& services, Participant& callee, std::chrono::milliseconds max_ring_time, Hunt& hunt,
            sip::OutgoingInvite invite);

  bool hang_up_remote(const End& end) override;
  /// The hunt is over: what becomes of the leg is nobody's business any more.
  void forget() { hunt_ = nullptr; }
  Participant& callee() { return participant(); }
  const sip::OutgoingInvite& invite() const { return invite_; }

 private:
  void early_media() override;
  void taken() override;
  void failed(const End& end) override;

  Hunt* hunt_;
  const sip::OutgoingInvite invite_;
};

}  // namespace rw::call
