#include "recording/job_threads.h"

#include <future>

#include "base/thread_name.h"

namespace rw::recording {

JobThreads::JobThreads(std::size_t threads) {
  for (std::size_t at = 0; at < threads; ++at) threads_.emplace_back([this] { run(); });
}

void JobThreads::post_at(TimePoint due, Job job) {
  const std::lock_guard lock(mutex_);
  if (ending_ && due != TimePoint::min()) return;
  jobs_.push({due, posted_++, std::move(job)});
  changed_.notify_one();
}

void JobThreads::settle() {
  std::promise<void> done;
  post([&done] { done.set_value(); });
  done.get_future().wait();
}

void JobThreads::run() {
  name_this_thread("recording");
  std::unique_lock lock(mutex_);
  for (;;) {
    if (jobs_.empty() || (ending_ && jobs_.top().due != TimePoint::min())) {
      if (ending_) return;
      changed_.wait(lock);
      continue;
    }
    const auto due = jobs_.top().due;
    if (due != TimePoint::min() && due > Clock::now()) {
      changed_.wait_until(lock, due);
      continue;
    }
    auto job = jobs_.top().job;
    jobs_.pop();
    lock.unlock();
    job();
    job = nullptr;  // whatever it holds goes before the next one, and outside the lock
    lock.lock();
  }
}

void JobThreads::end(bool drop) {
  std::priority_queue<Entry> dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    if (drop) std::swap(jobs_, dropped);
    changed_.notify_all();
  }
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace rw::recording
