#pragma once

#include <string>

#include "api/deps.h"
#include "http/router.h"
#include "http/server.h"

namespace rw::api {

/// The routes of the whole REST API, for an http::Server.
http::Router make_router(Deps deps);

/// How the server answers in the API's manner: error bodies in JSON, Access-Control-Allow-Origin on every answer.
http::ServerOptions make_server_options(const std::string& cors_allow_origin);

}  // namespace rw::api
