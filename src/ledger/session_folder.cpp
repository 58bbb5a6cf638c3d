#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "ledger/session_journal.h"

namespace rw::ledger {
namespace {

constexpr std::string_view ending = ".log";

std::int64_t changed_at(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return 0;
  return static_cast<std::int64_t>(found.st_mtim.tv_sec) * 1000 + found.st_mtim.tv_nsec / 1'000'000;
}

void read_journal(const std::string& path, std::map<std::string, std::string>& open) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (file.eof()) break;  // its end is missing: the kill came first
    if (line.starts_with('-')) open.erase(line.substr(1));
    const auto blank = line.find(' ');
    if (line.starts_with('+') && blank != std::string::npos) open[line.substr(1, blank - 1)] = line.substr(blank + 1);
  }
}

}  // namespace

Result<SessionFolder> SessionFolder::open(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(path + ": " + error.message());
  SessionFolder folder(path);
  const auto alive = path + "/alive";
  folder.last_alive_ = changed_at(alive);
  folder.lock_ = media::FileDescriptor(::open(alive.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!folder.lock_) return fail(alive + ": " + std::strerror(errno));
  if (::flock(folder.lock_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(path + ": another server that runs uses this data_dir");
  if (auto read = folder.read(); !read) return tl::unexpected(read.error());
  return folder;
}

Result<void> SessionFolder::read() {
  std::map<std::string, std::string> open;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    if (!entry.path().string().ends_with(ending)) continue;
    read_journal(entry.path().string(), open);
    last_alive_ = std::max(last_alive_, changed_at(entry.path().string()));
  }
  if (error) return fail(path_ + ": " + error.message());
  for (auto& [id, record] : open) cut_.push_back({id, std::move(record)});
  return {};
}

void SessionFolder::clear() {
  cut_.clear();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
    if (entry.path().string().find(ending) != std::string::npos) std::filesystem::remove(entry.path(), ignored);
  }
}

std::string SessionFolder::file(std::size_t shard) const {
  return path_ + "/" + std::to_string(shard) + std::string(ending);
}

void SessionFolder::touch() const {
  static constexpr std::array<timespec, 2> now{timespec{0, UTIME_NOW}, timespec{0, UTIME_NOW}};
  ::futimens(lock_.get(), now.data());
}

}  // namespace rw::ledger
