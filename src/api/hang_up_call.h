#pragma once

#include <boost/json/object.hpp>

#include "api/deps.h"
#include "http/exchange.h"

namespace rw::api {

/// POST /{domain}/hangupcall and its twin hangupcalljwt.
void hang_up_call(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                  const http::Responder& respond);

}  // namespace rw::api
