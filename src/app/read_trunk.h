#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/toml_reader.h"
#include "tenant/directory.h"

namespace rw::app {

/// An entry of a domain's `trunks`.
tenant::Trunk read_trunk(TomlReader& table);
/// Networks like 10.0.0.0/8.
void read_networks(TomlReader& table, std::string_view key, std::vector<net::Network>& into);
/// `max_calls` and `calls_per_second`.
void read_limits(TomlReader& table, tenant::Limits& limits);
/// The SIP URI of a next hop: a proxy or a registrar.
void read_next_hop(TomlReader& table, std::string_view key, std::string& into);

}  // namespace rw::app
