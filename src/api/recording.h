#pragma once

#include <boost/json/object.hpp>

#include "api/deps.h"
#include "http/exchange.h"

namespace rw::api {

/// POST /{domain}/startrecording.
void start_recording(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                     const http::Responder& respond);
/// POST /{domain}/stoprecording.
void stop_recording(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                    const http::Responder& respond);

}  // namespace rw::api
