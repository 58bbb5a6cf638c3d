#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "base/time.h"

namespace rw::recording {

/// Threads that do one job after another: in the order in which they are due, those due at once in the order in which
/// they came. With one thread, no two jobs ever run at the same time.
class JobThreads {
 public:
  using Job = std::function<void()>;

  explicit JobThreads(std::size_t threads);
  ~JobThreads() { abandon(); }
  JobThreads(const JobThreads&) = delete;
  JobThreads& operator=(const JobThreads&) = delete;

  /// Any thread, jobs included. Does nothing after the end.
  void post(Job job) { post_at(TimePoint::min(), std::move(job)); }
  void post_at(TimePoint due, Job job);

  /// Returns when all that was posted with post() before has been done. One thread only.
  void settle();
  /// Ends: does what is due at once, drops what is due later.
  void finish() { end(false); }
  /// Ends: waits only for what is being done.
  void abandon() { end(true); }

 private:
  struct Entry {
    TimePoint due;
    std::uint64_t number;
    Job job;
    bool operator<(const Entry& other) const { return std::tie(due, number) > std::tie(other.due, other.number); }
  };
  void run();
  void end(bool drop);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::priority_queue<Entry> jobs_;
  std::uint64_t posted_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rw::recording
