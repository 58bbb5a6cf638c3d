#pragma once

#include <boost/json/object.hpp>

#include "api/deps.h"
#include "http/exchange.h"

/// The commands for calls of REST devices, which do their own RTP and leave SIP to the server.
namespace rw::api {

/// POST /{domain}/placeremotecall and …jwt.
void place_remote_call(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                       const http::Responder& respond);
/// POST /{domain}/answerremotecall and …jwt.
void answer_remote_call(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                        const http::Responder& respond);
/// POST /{domain}/sendremotecallringback and …jwt.
void send_remote_call_ringback(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                               const http::Responder& respond);

}  // namespace rw::api
