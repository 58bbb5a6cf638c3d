#pragma once

#include <boost/json/object.hpp>

#include "api/deps.h"
#include "http/exchange.h"

namespace rw::api {

/// POST /{domain}/hangupremoteparticipant.
void hang_up_remote_participant(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                                const http::Responder& respond);

}  // namespace rw::api
