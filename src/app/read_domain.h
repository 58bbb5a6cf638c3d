#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "app/toml_reader.h"
#include "tenant/directory.h"

namespace rw::app {

/// Whether the operator, not a tenant, has written the mediaservice of that id (tenant::Mediaservice::trusted_urls).
using TrustedUrls = std::function<bool(std::string_view id)>;
/// An entry of `domains`, with its trunks, devices and mediaservices.
std::shared_ptr<const tenant::Domain> read_domain(TomlReader& table, const TrustedUrls& trusted);
/// An entry of a domain's `mediaservices`.
std::shared_ptr<const tenant::Mediaservice> read_mediaservice(TomlReader& table, const std::string& domain,
                                                              const TrustedUrls& trusted);
/// An entry of a domain's `devices`, as a table {id, mediaservice}.
tenant::Device read_device(TomlReader& table);

/// Whom the server can be reached by.
struct Exposure {
  bool http_loopback = true, sip_loopback = true;  ///< only by this machine
  bool operator==(const Exposure&) const = default;
};
/// What a domain may not leave open to others than this machine.
void check_exposure(TomlReader& table, const tenant::Domain& domain, Exposure exposure);

enum class UrlQuery : std::uint8_t { taken, refused };
/// An http(s) URL, kept without a slash at the end of its path. What no request could be sent to is a finding.
void read_url(TomlReader& table, std::string_view key, std::string& into, UrlQuery query = UrlQuery::taken);
/// The content of the file that `key` names; in a request `path` has to be the content itself, a PEM text.
std::string read_key_file(TomlReader& table, std::string_view key, const std::string& path);

}  // namespace rw::app
