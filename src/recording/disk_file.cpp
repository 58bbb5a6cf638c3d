#include "recording/disk_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rw::recording {
namespace {

tl::unexpected<Error> system_error(int code) {
  return fail(std::system_category().message(code));
}

}  // namespace

Result<std::unique_ptr<DiskFile>> DiskFile::create(const std::string& path) {
  media::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (!file) return system_error(errno);
  return std::make_unique<DiskFile>(std::move(file));
}

Result<void> DiskFile::append(std::span<const std::uint8_t> bytes) {
  if (const int code = sync_error_.load(std::memory_order_relaxed); code != 0) return system_error(code);
  while (!bytes.empty()) {
    const auto written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
    dirty_.store(true, std::memory_order_release);
  }
  return {};
}

Result<void> DiskFile::replace_start(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return {};
  dirty_.store(true, std::memory_order_release);
  const auto written = ::pwrite(file_.get(), bytes.data(), bytes.size(), 0);
  if (written < 0) return system_error(errno);
  return written == static_cast<ssize_t>(bytes.size()) ? Result<void>() : fail("the disk took only a part");
}

void DiskFile::begin_sync() {
  if (dirty_.load(std::memory_order_acquire)) ::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

Result<void> DiskFile::sync() {
  if (!dirty_.exchange(false, std::memory_order_acq_rel)) return {};
  if (::fdatasync(file_.get()) == 0) return {};
  sync_error_.store(errno, std::memory_order_relaxed);
  return system_error(errno);
}

Result<void> sync_file_system(const std::string& folder) {
  const media::FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::syncfs(opened.get()) != 0) return system_error(errno);
  return {};
}

Result<void> sync_folder(const std::string& folder) {
  const media::FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) return system_error(errno);
  return {};
}

}  // namespace rw::recording
