#include "app/fallback_keeper.h"

#include <chrono>
#include <ctime>
#include <utility>

#include "base/thread_name.h"

namespace rw::app {
namespace {

constexpr auto interval = std::chrono::seconds(5);

}  // namespace

FallbackKeeper::FallbackKeeper(std::unique_ptr<tenant::FallbackStore> store, const ops::Log& log)
    : entries_(std::move(store)), log_(log) {
  refresh();
  thread_ = std::thread([this] {
    name_this_thread("fallback");
    run();
  });
}

void FallbackKeeper::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  told_.notify_all();
  thread_.join();
}

tenant::FallbackPtr FallbackKeeper::find(std::string_view domain, std::string_view number) const {
  return entries_.find(domain, number, std::time(nullptr));
}

void FallbackKeeper::refresh() {
  const std::lock_guard lock(refreshing_);
  const auto done = entries_.refresh(std::time(nullptr));
  if (!done && !away_)
    log_.warning("fallback entries can't be read: what is known stays in use", {{"why", done.error().message}});
  if (done && away_) log_.info("fallback entries are read again");
  away_ = !done;
}

void FallbackKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!told_.wait_for(lock, interval, [this] { return stopping_; })) {
    lock.unlock();
    refresh();
    lock.lock();
  }
}

}  // namespace rw::app
