#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "database/connection.h"
#include "tenant/fallback_store.h"

namespace rw::app {

/// Fallback entries among the database's documents (kind "fallback"). A database that is away is tried again by the
/// next call.
class DatabaseFallbackStore final : public tenant::FallbackStore {
 public:
  /// Part of the transaction of each change: the count by which all nodes see that there was one.
  static constexpr std::string_view count_change =
      "INSERT INTO counters (name, value) VALUES ('fallbacks', 1)"
      " ON CONFLICT (name) DO UPDATE SET value = counters.value + 1";

  DatabaseFallbackStore(std::string url, std::string data_dir) : url_(std::move(url)), data_dir_(std::move(data_dir)) {}

  Result<std::int64_t> revision() override;
  Result<std::vector<tenant::Fallback>> load() override;
  Result<void> put(const tenant::Fallback& entry) override;
  Result<void> remove(const std::string& domain, const std::string& number) override;
  Result<void> remove(const tenant::Fallback& entry) override;

 private:
  Result<void> connect();
  Result<void> change(const std::string& sql, const std::vector<database::Value>& parameters);

  const std::string url_, data_dir_;
  std::unique_ptr<database::Connection> connection_;
};

}  // namespace rw::app
