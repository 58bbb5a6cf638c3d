#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/fair_queue.h"
#include "base/thread_name.h"

namespace rw {

/// A thread for long work of several owners (domains) that is done step by step: after each step it is the next owner's
/// turn. An owner's pieces of work are done one after the other's step, in their order. Thread-safe.
class FairLane {
 public:
  /// Does a step; whether there are more. Short: others wait.
  using Work = std::function<bool()>;

  explicit FairLane(const char* name) : thread_([this, name] { run(name); }) {}
  ~FairLane() { stop(); }
  FairLane(const FairLane&) = delete;
  FairLane& operator=(const FairLane&) = delete;

  void put(const std::string& owner, Work work) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.put(owner, {owner, std::move(work)});
    wake_.notify_one();
  }
  /// What isn't done is dropped. Waits for the end of a step.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Item {
    std::string owner;
    Work work;
  };
  void run(const char* name) {
    name_this_thread(name);
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      auto item = *queue_.take();
      lock.unlock();
      const bool more = item.work();
      if (!more) item.work = nullptr;  // what it holds may take a while to go
      lock.lock();
      if (more) {
        const auto owner = item.owner;
        queue_.put(owner, std::move(item));
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue<Item> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rw
