#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "callbacks/sender.h"

namespace rw::callbacks {

/// One notification on its way to an application.
struct Notice {
  Context context;
  std::string event;
  std::string url;
  std::string secondary_url;  ///< tried in turn with `url`, or empty
  std::string body;           ///< complete: a repetition is the same to the letter
  /// Called when it has been delivered, or given up; not if the process ends before. May be empty.
  std::function<void()> over = {};
};

/// Notifications that must arrive: delivered at least once, in order within a lane, repeated with back-off until they
/// are too old.
class Outbox {
 public:
  virtual ~Outbox() = default;
  /// Notices of one lane (one session's, say) are delivered one after the other.
  virtual void put(const std::string& lane, Notice notice) = 0;
  /// From any thread.
  virtual std::size_t pending() const = 0;
};

/// An outbox that forgets what it holds when the process ends. Belongs to the thread of its loop.
class MemoryOutbox final : public Outbox {
 public:
  MemoryOutbox(boost::asio::io_context& loop, const Settings& settings, Sender& sender);
  void put(const std::string& lane, Notice notice) override;
  std::size_t pending() const override { return pending_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t most_pending = 100'000;
  struct Lane {
    explicit Lane(boost::asio::io_context& loop) : timer(loop) {}
    std::deque<Notice> notices;
    TimePoint since;  ///< when the first of them was tried first
    int tries = 0;
    boost::asio::steady_timer timer;
  };

  void deliver(const std::string& lane);
  void delivered(const std::string& lane, const Sender::Outcome& outcome);
  void finish_first(const std::string& lane);

  boost::asio::io_context& loop_;
  const Settings& settings_;
  Sender& sender_;
  std::unordered_map<std::string, Lane> lanes_;
  std::atomic<std::size_t> pending_{0};
};

}  // namespace rw::callbacks
