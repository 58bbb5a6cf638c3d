#pragma once

#include "call/activity.h"
#include "call/ringing.h"

namespace rw::call {

/// The two that are listened to.
struct MonitoredLegs {
  media::LegId calling = 0, called = 0;
};

/// The activity of a leg that is being placed to listen to a connection. Its failure is nobody's.
class RingingMonitor final : public Ringing {
 public:
  RingingMonitor(Services& services, Participant& participant, MonitoredLegs legs);
  bool is_monitor() const override { return true; }

 private:
  void taken() override;
  void failed(const End& end) override;

  const MonitoredLegs legs_;
};

/// The activity of a leg that listens to a connection, both sides mixed. Ended by the calling half of the connection.
class Monitoring final : public Activity {
 public:
  Monitoring(Services& services, Participant& participant, MonitoredLegs legs)
      : services_(services), participant_(participant), legs_(legs) {}
  std::string_view name() const override { return "Monitoring"; }
  void begin() override;
  void stop(const End* /*end*/) override {}
  bool is_monitor() const override { return true; }

 private:
  Services& services_;
  Participant& participant_;
  const MonitoredLegs legs_;
};

}  // namespace rw::call
