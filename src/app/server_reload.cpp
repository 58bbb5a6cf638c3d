#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <set>

#include "app/server_process.h"

/// SIGHUP: the configuration file is read again while the server runs.
namespace rw::app {
namespace {

/// What counts at once, besides [[domains]].
const std::set<std::string, std::less<>>& at_once() {
  static const std::set<std::string, std::less<>> keys{"log.level", "limits.max_calls", "limits.calls_per_second",
                                                       "limits.calls_per_second_per_source", "server.drain_timeout"};
  return keys;
}

/// The keys whose values differ.
std::set<std::string> differing(const std::map<std::string, std::string>& before,
                                const std::map<std::string, std::string>& after) {
  std::set<std::string> keys;
  for (const auto& [key, value] : before) {
    const auto found = after.find(key);
    if (found == after.end() || found->second != value) keys.insert(key);
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) keys.insert(key);
  }
  return keys;
}

constexpr std::string_view refused = "configuration not reloaded: nothing has changed";

}  // namespace

void Server::reload() {
  if (file_.empty()) {
    log_.warning(refused, {{"reason", "the server was started without a file"}});
    return;
  }
  auto fresh = Config::load(file_);
  if (!fresh) {
    for (std::string_view rest = fresh.error().message; !rest.empty();) {
      const auto line = rest.substr(0, rest.find('\n'));
      log_.error(refused, {ops::text("reason", line)});
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    return;
  }
  if (exposure_of(*fresh) != exposure_of(config_)) {
    // Its domains were judged by listeners that are not these.
    log_.error(refused, {{"reason", "sip.listen, http.listen: who can reach them changes with a restart only"}});
    return;
  }
  auto domains = fresh->domains;
  auto documents = fresh->domain_documents;
  provisioner_->replace_file(
      std::move(domains), std::move(documents), [this, fresh = std::move(*fresh)](Result<std::size_t> changed) mutable {
        boost::asio::post(main_, [this, fresh = std::move(fresh), changed = std::move(changed)]() mutable {
          reloaded(std::move(fresh), changed);
        });
      });
}

void Server::reloaded(Config fresh, const Result<std::size_t>& changed) {
  if (!changed) {
    log_.error(refused, {ops::text("reason", changed.error().message)});
    return;
  }
  for (const auto& key : differing(config_.given, fresh.given)) {
    if (!at_once().contains(key)) log_.warning("configuration: this key counts from the next start on", {{"key", key}});
  }
  config_.given = std::move(fresh.given);
  log_.set_threshold(fresh.log.level);
  config_.server.drain_timeout = fresh.server.drain_timeout;
  for (auto& shard : shards_) shard->post([&shard = *shard, limits = fresh.limits] { shard.set_limits(limits); });
  log_.info("configuration reloaded", {{"domainsChanged", std::to_string(*changed)}});
}

}  // namespace rw::app
