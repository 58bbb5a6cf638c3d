#include "app/read_domain.h"

#include <fstream>
#include <set>
#include <sstream>

#include "api/jwt_keys.h"
#include "app/read_trunk.h"
#include "base/public_url.h"
#include "callbacks/signature.h"
#include "http/url_pattern.h"
#include "recording/seal.h"

namespace rw::app {
namespace {

void read_client_certificate(TomlReader& table, tenant::Mediaservice& service) {
  const auto read = [&table](std::string_view key, std::string& into) {
    std::string file;
    table.text(key, file);
    if (!file.empty()) into = read_key_file(table, key, file);
  };
  read("client_certificate", service.client_certificate);
  read("client_key", service.client_key);
  read("ca", service.ca);
  if (service.client_certificate.empty() != service.client_key.empty())
    table.problem(service.client_key.empty() ? "client_key" : "client_certificate",
                  "missing: expected both, the certificate and its key");
}

tenant::AccessKey read_access_key(TomlReader& table) {
  tenant::AccessKey key;
  table.text("id", key.id);
  table.secret("secret", key.secret);
  table.text("region", key.region);
  for (const auto& [name, value] : {std::pair("id", &key.id), {"secret", &key.secret}, {"region", &key.region}}) {
    if (value->empty()) table.problem(name, "missing");
  }
  return key;
}

/// Devices are given by their name alone, or as tables {id, mediaservice}.
void read_devices(TomlReader& table, std::vector<tenant::Device>& devices) {
  table.each_text_or_table(
      "devices",
      [&](const std::string& id) -> std::string {
        devices.push_back({id, {}});
        return {};
      },
      [&](TomlReader& device) { devices.push_back(read_device(device)); });
}

/// Each device once, and each with a mediaservice that there is.
void check_devices(TomlReader& table, const tenant::Domain& domain) {
  std::set<std::string> ids;
  for (const auto& device : domain.devices) {
    if (!ids.insert(device.id).second) table.problem("devices", "used twice in this domain: " + device.id);
    if (!device.mediaservice.empty() && !domain.service(device.mediaservice))
      table.problem("devices", device.id + ": there is no mediaservice " + device.mediaservice);
  }
}

}  // namespace

std::shared_ptr<const tenant::Mediaservice> read_mediaservice(TomlReader& table, const std::string& domain,
                                                              const TrustedUrls& trusted) {
  auto service = std::make_shared<tenant::Mediaservice>();
  service->domain = domain;
  table.text("id", service->id);
  service->trusted_urls = trusted(service->id);
  if (service->id.empty()) table.problem("id", "missing");
  table.texts("numbers", service->numbers);
  read_url(table, "callback_url", service->callback_url);
  if (service->callback_url.empty()) table.problem("callback_url", "missing");
  read_url(table, "secondary_callback_url", service->secondary_callback_url);
  service->alarm_url = http::with_path(service->callback_url, "/" + domain);
  read_url(table, "alarm_url", service->alarm_url);
  std::string key_file;
  table.text("signing_key", key_file);
  if (!key_file.empty()) service->signing_key = read_key_file(table, "signing_key", key_file);
  if (!service->signing_key.empty()) {
    if (const auto signer = callbacks::Signer::from_pem(service->signing_key); !signer)
      table.problem("signing_key", signer.error().message);
  }
  read_client_certificate(table, *service);
  table.secret("basic", service->basic);
  table.secret("bearer", service->bearer);
  static const std::vector<std::string_view> plans{"se", "eu", "uk", "us", "de", "fr"};
  if (const auto plan = table.choice("tone_plan", plans)) service->tone_plan = plans[*plan];
  table.table("drop_codes", [&](TomlReader& codes) {
    for (const auto* code :
         {"busy", "error", "numberNotFound", "numberNotActive", "dropNoMsg", "temporarilyUnavailable"}) {
      int status = 0;
      codes.whole(code, status, 400, 699);
      if (status != 0) service->drop_codes[code] = status;
    }
  });
  table.flag("identify_calls", service->identify_calls);
  table.flag("allow_refer", service->allow_refer);
  table.text("hold_music", service->hold_music);
  return service;
}

tenant::Device read_device(TomlReader& table) {
  tenant::Device device;
  table.text("id", device.id);
  if (device.id.empty()) table.problem("id", "missing");
  table.text("mediaservice", device.mediaservice);
  return device;
}

void check_exposure(TomlReader& table, const tenant::Domain& domain, Exposure exposure) {
  if (domain.open && !exposure.http_loopback) {
    table.problem("auth",
                  "found \"none\", but an HTTP listener is not a loopback address: anybody could place calls; "
                  "expected \"token\"");
  }
  if (!domain.restricts_callers() && !exposure.sip_loopback) {
    table.problem(
        "trunks",
        "none has `allow`, but a SIP listener is not a loopback address: expected the networks that calls may come "
        "from");
  }
}

std::string read_key_file(TomlReader& table, std::string_view key, const std::string& path) {
  if (!table.may_refer()) {
    if (path.find("-----BEGIN ") == std::string::npos)
      table.problem(key, "expected a PEM text, not the name of a file: -----BEGIN …");
    return path;
  }
  std::ifstream file(path);
  if (!file) {
    table.problem(key, "can't read the file " + path);
    return {};
  }
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void read_url(TomlReader& table, std::string_view key, std::string& into, UrlQuery query) {
  table.text(key, into);
  if (into.empty()) return;
  const bool has_query = into.find('?') != std::string::npos;
  if (!http::is_usable_url(into) || (has_query && query == UrlQuery::refused))
    table.wrong(key, "\"" + public_url(into) + "\"",
                query == UrlQuery::refused ? "an http:// or https:// URL without a query and a fragment"
                                           : "an http:// or https:// URL without a fragment");
  into = http::with_path(into, "");
}

std::shared_ptr<const tenant::Domain> read_domain(TomlReader& table, const TrustedUrls& trusted) {
  auto domain = std::make_shared<tenant::Domain>();
  table.text("name", domain->name);
  if (domain->name.empty()) table.problem("name", "missing");
  table.texts("aliases", domain->aliases);
  const auto auth = table.choice("auth", {"token", "none"});
  domain->open = auth == 1;
  std::vector<std::string> key_files;
  table.texts("jwt_public_keys", key_files);
  for (const auto& file : key_files) {
    domain->jwt_public_keys.push_back(read_key_file(table, "jwt_public_keys", file));
    const auto& pem = domain->jwt_public_keys.back();
    if (pem.empty()) continue;  // has been reported
    if (const auto key = api::JwtKey::from_pem(pem); !key)
      table.problem("jwt_public_keys", file + ": " + key.error().message);
  }
  table.secret("jwt_secret", domain->jwt_secret);
  read_url(table, "jwks_url", domain->jwks_url);
  table.each_table("access_keys", [&](TomlReader& key) { domain->access_keys.push_back(read_access_key(key)); });
  read_limits(table, domain->limits);
  domain->requests_per_second = table.number("requests_per_second", 0.01, 1e6);
  constexpr long long most_storage = 1'000'000'000'000'000;
  table.whole("max_storage", domain->max_storage, 0, most_storage);
  read_networks(table, "allow_media", domain->allow_media);
  table.texts("allow_callbacks", domain->allow_callbacks);
  for (const auto& pattern : domain->allow_callbacks) {
    if (!http::is_url_pattern(pattern))
      table.wrong("allow_callbacks", "\"" + public_url(pattern) + "\"",
                  "scheme://host:port[/path], \"*\" for any port");
  }
  std::set<std::string> trunk_names;
  table.each_table("trunks", [&](TomlReader& trunk) {
    auto read = read_trunk(trunk);
    if (!read.name.empty() && !trunk_names.insert(read.name).second)
      trunk.problem("name", "used twice in this domain: " + read.name);
    domain->trunks.push_back(std::move(read));
  });
  std::string recording_key;
  table.text("recording_key", recording_key);
  if (!recording_key.empty()) domain->recording_key = read_key_file(table, "recording_key", recording_key);
  if (!domain->recording_key.empty()) {
    if (const auto key = recording::read_public_key(domain->recording_key); !key)
      table.problem("recording_key", key.error().message);
  }
  read_devices(table, domain->devices);
  std::set<std::string> ids;
  table.each_table("mediaservices", [&](TomlReader& service) {
    auto read = read_mediaservice(service, domain->name, trusted);
    if (!ids.insert(read->id).second) service.problem("id", "used twice in this domain: " + read->id);
    domain->mediaservices.push_back(std::move(read));
  });
  check_devices(table, *domain);
  return domain;
}

}  // namespace rw::app
