#include "app/part_settings.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "api/rest_api.h"
#include "base/ids.h"
#include "ops/line_limit.h"

namespace rw::app {

Result<std::string> reply_secret(const Config& config) {
  if (!config.server.reply_secret.empty()) return config.server.reply_secret;
  const auto path = std::filesystem::path(config.server.data_dir) / "reply_secret";
  if (std::ifstream file(path); file) {
    std::string secret;
    std::getline(file, secret);
    if (secret.size() >= 32) return secret;
  }
  IdSource ids;
  const auto secret = ids.token(52);
  std::ofstream file(path);
  ::chmod(path.c_str(), 0600);
  file << secret << '\n';
  file.flush();
  if (!file) return fail(path.string() + ": can't be written");
  return secret;
}

call::Settings call_settings(const Config& config) {
  call::Settings settings;
  settings.node_id = config.server.node_id;
  settings.node_address = !config.sip.advertise.empty() ? config.sip.advertise
                          : config.sip.listen.empty()   ? config.media.address.host()
                                                        : config.sip.listen.front().address.host();
  settings.media_address =
      config.media.advertise.empty() ? config.media.address : *net::Address::from(config.media.advertise, 0);
  settings.codecs = config.media.codecs;
  settings.max_session = config.limits.max_session;
  settings.outbound_proxy = config.sip.outbound_proxy;
  settings.follow_redirects = config.sip.follow_redirects;
  settings.media_targets = media_target_policy(config);
  settings.unconfirmed_media = config.media.unconfirmed;
  settings.unconfirmed_early_media = config.media.unconfirmed_early;
  return settings;
}

call::UnconfirmedCalls::Limits unconfirmed_calls(const Config& config) {
  // Several sources, and several trunks, share max_calls; a few calls of one caller fit always.
  const auto& limits = config.limits;
  return {limits.unconfirmed_calls_per_source.value_or(std::max<std::size_t>(10, limits.max_calls / 8)),
          limits.unconfirmed_calls_per_trunk.value_or(std::max<std::size_t>(20, limits.max_calls / 4))};
}

media::EngineOptions engine_options(const Config& config) {
  media::EngineOptions options;
  options.address = config.media.address;
  options.first_port = config.media.first_port;
  options.last_port = config.media.last_port;
  options.workers = config.media.workers;
  options.latch = config.media.latch;
  options.latch_targets = media_target_policy(config);
  options.rtp_timeout = config.media.rtp_timeout;
  options.port_rest = config.media.port_rest;
  options.allow_io_uring = config.media.io_uring;
  return options;
}

callbacks::Settings callback_settings(const Config& config) {
  callbacks::Settings settings;
  settings.connect_timeout = config.callbacks.connect_timeout;
  settings.answer_timeout = config.callbacks.answer_timeout;
  settings.total_timeout = config.callbacks.total_timeout;
  settings.retries = config.callbacks.retries;
  settings.site_id = config.server.site_id;
  settings.site_base_url = config.server.site_base_url;
  settings.addresses = net::AddressPolicy(config.fetch.allow);
  return settings;
}

namespace {

bool listens_on_loopback(const Config& config) {
  return std::ranges::any_of(config.sip.listen, [](const auto& one) { return one.address.is_loopback(); });
}

}  // namespace

net::TargetPolicy target_policy(const Config& config) {
  return net::TargetPolicy(listens_on_loopback(config), config.sip.allow_targets);
}

net::TargetPolicy media_target_policy(const Config& config) {
  const bool loopback = config.media.address.is_loopback() || listens_on_loopback(config);
  return net::TargetPolicy(loopback, config.media.allow_targets);
}

http::ServerOptions http_options(const Config& config, ops::Metrics& metrics, const ops::Log& log) {
  auto options = api::make_server_options(config.http.cors_allow_origin);
  options.max_connections_per_client = static_cast<std::size_t>(config.http.max_connections_per_client);
  options.trusted_proxies = config.http.trusted_proxies;
  options.refused = [&metrics] { metrics.api_refused("connections"); };
  options.request_refused = [log, limit = ops::LineLimit()](const http::RefusedRequest& request) mutable {
    const auto left_out = limit.take(Clock::now());
    if (!left_out) return;
    log.info("api request refused", {ops::if_any("method", request.method),
                                     ops::text("path", request.path),
                                     {"client", request.client.host()},
                                     {"status", std::to_string(request.status)},
                                     ops::text("reason", request.why),
                                     ops::if_any("leftOut", *left_out)});
  };
  return options;
}

}  // namespace rw::app
