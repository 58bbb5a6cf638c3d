#include "call/leg_log.h"

#include "sip/uri.h"

namespace rw::call {
namespace {

ops::Log with_leg(const ops::Log& log, const LegLine& leg) {
  const auto uri = sip::Uri::parse(leg.destination);
  return log.with({{"domain", leg.domain},
                   ops::personal("number", uri ? uri->user : std::string()),
                   ops::personal("destination", leg.destination),
                   ops::if_any("trunk", leg.trunk),
                   ops::if_any("participantId", leg.participant),
                   ops::if_any("legCallId", leg.call_id)});
}

}  // namespace

void log_leg_placed(const ops::Log& log, const LegLine& leg) {
  if (log.enabled(ops::Level::info)) with_leg(log, leg).info("leg placed");
}

void log_leg_failed(const ops::Log& log, const LegLine& leg, const End& end) {
  if (!log.enabled(ops::Level::info)) return;
  const auto* message = end.reason == EndReason::cancelled ? "leg cancelled" : "leg failed";
  with_leg(log, leg).info(message, {ops::if_any("status", end.status != 0 ? std::to_string(end.status) : ""),
                                    {"reason", to_string(end.reason)},
                                    ops::text("why", end.description),
                                    ops::text("sipReason", end.sip_reason)});
}

}  // namespace rw::call
