#pragma once

#include "database/connection.h"

namespace rw::database {

/// Brings the tables to the form that this version works with; each step is done once, whichever server comes first.
/// Refuses a database that a newer version has changed.
///
/// `documents` holds what was not in the configuration file: JSON texts by kind, domain (in lower case) and name.
/// `position` tells which was there first; `changed` is Unix time in milliseconds.
/// `audit` tells each change of provisioning; its `number` counts them, and `counters` has the last one.
DatabaseResult<void> migrate(Connection& connection);

}  // namespace rw::database
