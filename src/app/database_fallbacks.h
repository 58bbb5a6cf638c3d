#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "api/fallback_store.h"
#include "database/connection.h"
#include "ops/log.h"
#include "tenant/fallback.h"

namespace rw::app {

/// Fallbacks in the database, with a copy in memory that calls use; what other servers of the same database change is
/// taken over every few seconds, and what has expired is removed. Thread-safe.
class DatabaseFallbacks final : public api::FallbackStore {
 public:
  /// `url`, `data_dir`: of the database.
  static Result<std::unique_ptr<DatabaseFallbacks>> open(const std::string& url, const std::string& data_dir,
                                                         ops::Log log);
  ~DatabaseFallbacks() override;

  /// For a call to that number, now.
  std::shared_ptr<const tenant::Fallback> find(const std::string& domain, const std::string& number) const;

  std::shared_ptr<const tenant::Fallback> get(const std::string& domain, const std::string& number) override;
  Result<void> put(const std::string& domain, const std::string& number, tenant::Fallback fallback) override;
  Result<void> remove(const std::string& domain, const std::string& number) override;

 private:
  DatabaseFallbacks(std::unique_ptr<database::Connection> connection, ops::Log log);
  /// Reads all of them, if any has changed; removes those that have expired.
  database::DatabaseResult<void> catch_up();
  database::DatabaseResult<void> change(std::string_view sql, const std::vector<database::Value>& parameters);
  void keep_up();

  ops::Log log_;
  std::mutex database_mutex_;  ///< guards the connection and what is known of it
  std::unique_ptr<database::Connection> connection_;
  std::int64_t known_change_ = -1;
  tenant::Fallbacks fallbacks_;

  std::mutex stop_mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rw::app
