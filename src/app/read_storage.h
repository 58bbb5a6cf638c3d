#pragma once

#include "app/config.h"
#include "app/toml_reader.h"

namespace rw::app {

/// Reads the table [storage].
void read_storage(TomlReader& table, Config::Storage& storage);

}  // namespace rw::app
