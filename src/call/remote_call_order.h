#pragma once

#include "base/json_fields.h"
#include "call/call_plan.h"
#include "sdp/device.h"

namespace rw::call {

/// What placeremotecall wants.
struct RemoteCallOrder {
  PlacedCallOrder call;  ///< its service has the callback URL that the call is to use
  sdp::DeviceAudio audio;
};

/// Reads `destinationUri`, `sourceUser` and `maxRingTime`. The first member that can't be used is left in `fields`.
Destination read_remote_destination(JsonFields& fields);

}  // namespace rw::call
