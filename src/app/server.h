#pragma once

#include "app/config.h"

namespace rw::app {

/// Runs the server until it is told to stop: SIGTERM or SIGINT once drains, twice stops at once. SIGHUP reads `file`
/// again; empty: there is none. The process's exit code.
int serve(Config config, std::string file);

}  // namespace rw::app
