#pragma once

#include <boost/json/object.hpp>

#include "api/deps.h"
#include "http/exchange.h"

namespace rw::api {

/// POST /{domain}/splitconnection.
void split_connection(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                      const http::Responder& respond);

}  // namespace rw::api
