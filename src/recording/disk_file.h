#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "media/file_descriptor.h"

namespace rw::recording {

/// A file that grows. One thread writes; another may sync at the same time.
class DiskFile {
 public:
  /// Makes the file, which must not be there.
  static Result<std::unique_ptr<DiskFile>> create(const std::string& path);
  explicit DiskFile(media::FileDescriptor file) : file_(std::move(file)) {}

  /// Errors are the system's words ("No space left on device").
  Result<void> append(std::span<const std::uint8_t> bytes);
  /// In place of what the file begins with.
  Result<void> replace_start(std::span<const std::uint8_t> bytes);
  std::uint64_t size() const { return size_; }

  /// Begins to write out what is new, without waiting. Done for many files first, it lets the sync() of the first pay
  /// for all.
  void begin_sync();
  /// Returns when all is on the disk. An error is also remembered, for append() to return.
  Result<void> sync();

 private:
  media::FileDescriptor file_;
  std::uint64_t size_ = 0;
  std::atomic<bool> dirty_{false};
  std::atomic<int> sync_error_{0};  ///< errno
};

/// Brings all that is in the folder's file system onto the disk, whoever wrote it.
Result<void> sync_file_system(const std::string& folder);

/// Makes what was made, renamed or removed in a folder last.
Result<void> sync_folder(const std::string& folder);

}  // namespace rw::recording
