#include "app/make_prompt_store.h"

#include <filesystem>

#include "storage/file_prompt_store.h"
#include "storage/s3_prompt_store.h"

namespace rw::app {

std::optional<storage::S3Service> service_of(const Config::Storage& config) {
  if (config.credentials.access_key_id.empty()) return std::nullopt;
  storage::S3Service service;
  if (const auto endpoint = storage::S3Endpoint::parse(config.endpoint)) service.endpoint = *endpoint;
  service.region = config.region;
  service.path_style = config.path_style;
  service.credentials = config.credentials;
  return service;
}

namespace {

template <class Store>
Result<std::unique_ptr<storage::PromptStore>> as_prompt_store(Result<std::unique_ptr<Store>> store) {
  if (!store) return tl::unexpected(store.error());
  return std::unique_ptr<storage::PromptStore>(std::move(*store));
}

}  // namespace

Result<std::unique_ptr<storage::PromptStore>> make_prompt_store(const Config& config, const std::string& own,
                                                                bool alone,
                                                                std::shared_ptr<storage::DiskShares> shares) {
  auto service = service_of(config.storage);
  if (!config.storage.s3)
    return as_prompt_store(
        storage::FilePromptStore::open(config.server.data_dir, std::move(service), alone, std::move(shares)));
  if (!service) return fail("storage.access_key_id: missing");
  storage::S3PromptStore::Options options;
  options.s3.location = service->location(config.storage.region, config.storage.bucket);
  options.s3.credentials = config.storage.credentials;
  options.prefix = config.storage.prefix;
  options.cache.folder = std::filesystem::path(own) / "s3-cache";
  options.cache.most_bytes = config.storage.cache_mb * 1024 * 1024;
  options.move_to = std::move(*service);
  options.shares = std::move(shares);
  return as_prompt_store(storage::S3PromptStore::open(std::move(options)));
}

void check_prompt_store(storage::PromptStore& store, const ops::Log& log) {
  auto* s3 = dynamic_cast<storage::S3PromptStore*>(&store);
  if (s3 == nullptr) return;
  if (const auto checked = s3->check_bucket()) {
    log.info("prompt storage: the S3 bucket is reachable", {});
  } else {
    log.error("prompt storage: the S3 bucket is not reachable", {ops::text("reason", checked.error().message)});
  }
}

}  // namespace rw::app
