#pragma once

#include <boost/json/object.hpp>

#include "api/deps.h"
#include "http/exchange.h"

namespace rw::api {

/// POST /{domain}/interruptivrcommand: ends the IVR command that is running, so that the next is asked for.
void interrupt_ivr_command(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                           const http::Responder& respond);

}  // namespace rw::api
