#pragma once

#include <memory>
#include <mutex>

#include "tenant/directory.h"

namespace rw::tenant {

/// The domains as they are now. Whoever works with a snapshot keeps it as long as needed; a change makes a new one.
/// From any thread.
class CurrentDirectory {
 public:
  std::shared_ptr<const Directory> get() const {
    const std::lock_guard lock(mutex_);
    return directory_;
  }
  void set(std::shared_ptr<const Directory> directory) {
    const std::lock_guard lock(mutex_);
    directory_.swap(directory);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Directory> directory_ = std::make_shared<const Directory>(Directory({}));
};

}  // namespace rw::tenant
