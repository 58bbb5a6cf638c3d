#pragma once

#include <memory>

#include "api/command_route.h"

namespace rw::api {

/// GET, POST and DELETE of /cache/{domain}/ivrfallback[/{number}]: what is done with callers while the application is
/// away (section 9 of the behaviour).
void add_fallbacks(http::Router& router, const std::shared_ptr<Routes>& routes);

}  // namespace rw::api
