#include "app/make_jwks_cache.h"

#include "api/fetch_jwks.h"

namespace rw::app {

std::shared_ptr<api::JwksCache> make_jwks_cache(boost::asio::io_context& loop, const Config& config,
                                                const ops::Log& log) {
  return std::make_shared<api::JwksCache>(
      loop,
      [rules = api::JwksFetchRules{net::AddressPolicy(config.fetch.allow), config.fetch.ca_file}](
          const std::string& url, const std::atomic<bool>& cancel) { return api::fetch_jwks(url, rules, cancel); },
      log);
}

}  // namespace rw::app
