#pragma once

#include <memory>

#include "api/command_route.h"

namespace rw::api {

/// GET, POST and DELETE of /cache/{domain}/ivrfallback[/{number}]: what calls to a number fall back to while the
/// application is away (section 9 of the behaviour); without a number, calls to any that has none of its own.
void add_ivr_fallback(http::Router& router, const std::shared_ptr<Routes>& routes);

}  // namespace rw::api
