#pragma once

#include <memory>

#include "api/command_route.h"
#include "http/router.h"

namespace rw::api {

/// Prompt storage: GET /{domain}/promptfile (a page of names), PUT, GET, DELETE of
/// /{domain}/promptfile/{filename}, GET of its /url and POST of its /move.
void add_prompt_files(http::Router& router, const std::shared_ptr<Routes>& routes);

}  // namespace rw::api
