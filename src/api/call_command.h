#pragma once

#include "api/call_control.h"
#include "http/exchange.h"

namespace rw::api {

/// Runs a command on the calls and answers with what came of it.
void execute(CallControl& calls, CallCommand command, const http::Responder& respond);

}  // namespace rw::api
