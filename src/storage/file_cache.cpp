#include "storage/file_cache.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace rw::storage {

Result<std::unique_ptr<FileCache>> FileCache::open(Options options) {
  std::unique_ptr<FileCache> cache(new FileCache(std::move(options)));  // NOLINT: private constructor
  if (auto read = cache->read_folder(); !read) return tl::unexpected(read.error());
  return cache;
}

Result<void> FileCache::read_folder() {
  namespace fs = std::filesystem;
  struct Found {
    fs::file_time_type written;
    std::string id;
    std::uint64_t size = 0;
  };
  std::vector<Found> all;
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (error) return fail(options_.folder.string() + ": " + error.message());
  for (const auto& entry : fs::directory_iterator(options_.folder, error)) {
    auto name = entry.path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.')) {
      fs::remove(entry.path(), ignored);
    } else if (entry.is_regular_file(ignored)) {
      all.push_back({entry.last_write_time(ignored), std::move(name), entry.file_size(ignored)});
    }
  }
  if (error) return fail(options_.folder.string() + ": " + error.message());
  std::ranges::sort(all, {}, &Found::written);
  for (const auto& one : all) insert(one.id, one.size, TimePoint{});
  evict(Clock::now());
  return {};
}

std::optional<std::string> FileCache::find(const std::string& id, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return std::nullopt;
  if (found->second.size != size || ::access(path(id).c_str(), R_OK) != 0) {
    drop(id);
    return std::nullopt;
  }
  found->second.used = Clock::now();
  ages_.splice(ages_.end(), ages_, found->second.age);
  return path(id);
}

std::string FileCache::temporary() {
  const std::lock_guard lock(mutex_);
  return path(".new-" + std::to_string(++temporaries_));
}

Result<std::string> FileCache::adopt(const std::string& id, const std::string& temporary, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (std::rename(temporary.c_str(), path(id).c_str()) != 0) return fail(path(id) + ": " + std::strerror(errno));
  const auto now = Clock::now();
  insert(id, size, now);
  evict(now);
  return path(id);
}

void FileCache::insert(const std::string& id, std::uint64_t size, TimePoint used) {
  if (const auto held = entries_.find(id); held != entries_.end()) {
    bytes_ -= held->second.size;
    ages_.erase(held->second.age);
    entries_.erase(held);
  }
  ages_.push_back(id);
  entries_.emplace(id, Entry{size, used, std::prev(ages_.end())});
  bytes_ += size;
}

void FileCache::drop(const std::string& id) {
  const auto found = entries_.find(id);
  ::unlink(path(id).c_str());
  bytes_ -= found->second.size;
  ages_.erase(found->second.age);
  entries_.erase(found);
}

void FileCache::evict(TimePoint now) {
  while (bytes_ > options_.most_bytes && !ages_.empty()) {
    const auto& oldest = entries_.at(ages_.front());
    if (oldest.used != TimePoint{} && now - oldest.used < options_.grace) return;
    drop(std::string(ages_.front()));
  }
}

}  // namespace rw::storage
