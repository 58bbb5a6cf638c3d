#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace rw {

/// A bounded queue into one thread: any thread posts, one drains. The owner drains in batches by swapping vectors, so
/// that in steady state neither side allocates and the lock is held for a few instructions.
template <class T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t capacity) : capacity_(capacity) {}

  enum class Posted { first, behind, full };

  /// Puts `item` in. `first`: the box was empty, so the owner has to be woken. `full`: the item was not taken.
  Posted post(T item) {
    const std::lock_guard lock(mutex_);
    if (items_.size() >= capacity_) return Posted::full;
    items_.push_back(std::move(item));
    return items_.size() == 1 ? Posted::first : Posted::behind;
  }

  /// Moves all that is in the box to `into`, which must be empty.
  void drain(std::vector<T>& into) {
    const std::lock_guard lock(mutex_);
    items_.swap(into);
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::vector<T> items_;
};

}  // namespace rw
