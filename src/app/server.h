#pragma once

#include "app/config.h"

namespace rw::app {

/// Runs the server until it is told to stop: SIGTERM or SIGINT once drains, twice stops at once. The process's exit
/// code.
int serve(Config config);

}  // namespace rw::app
