#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "ops/log.h"
#include "tenant/fallbacks.h"

namespace rw::app {

/// Keeps the fallback entries in step with the database, on a thread of its own: what other nodes change is taken in
/// within five seconds, and a database that was away at the start is read when it is there.
class FallbackKeeper {
 public:
  /// Reads the entries, unless the database is away, and begins.
  FallbackKeeper(std::unique_ptr<tenant::FallbackStore> store, const ops::Log& log);
  ~FallbackKeeper() { stop(); }
  FallbackKeeper(const FallbackKeeper&) = delete;
  FallbackKeeper& operator=(const FallbackKeeper&) = delete;
  void stop();

  /// Takes in now what has been changed in the database. Blocks; from any thread.
  void refresh();
  tenant::Fallbacks& entries() { return entries_; }
  /// The entry for a called number, now. From any thread; never blocks.
  tenant::FallbackPtr find(std::string_view domain, std::string_view number) const;

 private:
  void run();

  tenant::Fallbacks entries_;
  ops::Log log_;
  std::mutex refreshing_;
  bool away_ = false;  ///< has been told; under refreshing_
  std::mutex mutex_;
  std::condition_variable told_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rw::app
