#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/toml_reader.h"
#include "tenant/directory.h"

namespace rw::app {

/// An entry of `domains`, with its trunks, devices and mediaservices. `trusted_urls`: the operator has written it, not
/// a tenant (tenant::Mediaservice::trusted_urls).
std::shared_ptr<const tenant::Domain> read_domain(TomlReader& table, bool trusted_urls);
/// An http(s) URL without a trailing slash.
void read_url(TomlReader& table, std::string_view key, std::string& into);
/// The content of the file that `key` names.
std::string read_key_file(TomlReader& table, std::string_view key, const std::string& path);

}  // namespace rw::app
