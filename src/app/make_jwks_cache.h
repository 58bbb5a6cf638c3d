#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "api/jwks_cache.h"
#include "app/config.h"

namespace rw::app {

/// What fetches the customers' keys, within the limits of [fetch]. `loop` is that of the HTTP server.
std::shared_ptr<api::JwksCache> make_jwks_cache(boost::asio::io_context& loop, const Config& config,
                                                const ops::Log& log);

}  // namespace rw::app
