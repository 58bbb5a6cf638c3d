#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"

namespace rw::callbacks {

/// Lets so many in at a time under each key; the others wait in line. So what hangs under one key takes nothing from
/// another. Belongs to the thread of its loop.
class Gate {
 public:
  /// Called once: whether it was let in. Who was has to leave().
  using Entered = std::function<void(bool)>;

  Gate(boost::asio::io_context& loop, std::size_t most) : loop_(loop), most_(most) {}

  /// Calls `entered` at once, if there is room; else from a leave(), or when `patience` is over, which without a value
  /// is never.
  void enter(const std::string& key, std::optional<Duration> patience, Entered entered);
  void leave(const std::string& key);
  /// Those who are in or wait.
  std::size_t size() const { return size_; }

 private:
  struct Waiter {
    Entered entered;
    std::unique_ptr<boost::asio::steady_timer> timer;
  };
  struct Line {
    std::size_t inside = 0;
    std::list<Waiter> waiters;
  };

  boost::asio::io_context& loop_;
  const std::size_t most_;
  std::size_t size_ = 0;
  std::unordered_map<std::string, Line> lines_;
};

}  // namespace rw::callbacks
