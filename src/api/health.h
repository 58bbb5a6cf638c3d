#pragma once

#include <memory>

#include "api/command_route.h"
#include "http/router.h"

namespace rw::api {

/// GET /healthz (200 while the process works), /readyz (503 unless calls are taken) and /metrics. Open to all who reach
/// the listener.
void add_health(http::Router& router, const std::shared_ptr<Routes>& routes);

}  // namespace rw::api
