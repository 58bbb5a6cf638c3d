#include "call/monitoring.h"

#include <memory>

#include "call/participant.h"

namespace rw::call {
namespace {

/// Ringing::max_ring_time of a leg for which the application gives none.
constexpr std::chrono::seconds monitor_ring_time{60};

}  // namespace

RingingMonitor::RingingMonitor(Services& services, Participant& participant, MonitoredLegs legs)
    : Ringing(services, participant, monitor_ring_time), legs_(legs) {}

void RingingMonitor::taken() {
  participant().change(std::make_unique<Monitoring>(services(), participant(), legs_));
}

void RingingMonitor::failed(const End& end) {
  participant().session().log().info("the monitor has not answered",
                                     {{"participantId", participant().id()}, {"status", std::to_string(end.status)}});
}

void Monitoring::begin() {
  services_.media.monitor(participant_.media_leg(), legs_.calling, legs_.called);
  PartyFacts monitored;
  monitored.address.participant = participant_.remote_id();
  monitored.user = participant_.remote_user();
  participant_.notify_answered(monitored, participant_.facts());
}

}  // namespace rw::call
