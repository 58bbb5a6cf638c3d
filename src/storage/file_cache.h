#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/time.h"

namespace rw::storage {

/// Files in a folder that can be fetched again: when they are more than `most_bytes`, those go that have not been used
/// for the longest time. What was used within `grace` stays, so that who was told of a file can open it; that may make
/// it more for a while. Thread-safe.
class FileCache {
 public:
  struct Options {
    std::filesystem::path folder;
    std::uint64_t most_bytes = 1024ULL * 1024 * 1024;
    std::chrono::milliseconds grace{60'000};
  };
  /// Makes the folder; keeps what an earlier process completed, removes what it did not.
  static Result<std::unique_ptr<FileCache>> open(Options options);

  /// The path of a file of this id and size.
  std::optional<std::string> find(const std::string& id, std::uint64_t size);
  /// A path in the folder where a file may be written that adopt() takes later.
  std::string temporary();
  /// Takes over a complete file under an id (which does as a file name, and doesn't begin with a dot); its new path.
  Result<std::string> adopt(const std::string& id, const std::string& temporary, std::uint64_t size);

 private:
  struct Entry {
    std::uint64_t size = 0;
    TimePoint used;
    std::list<std::string>::iterator age;
  };
  explicit FileCache(Options options) : options_(std::move(options)) {}
  Result<void> read_folder();
  std::string path(const std::string& id) const { return (options_.folder / id).string(); }
  void insert(const std::string& id, std::uint64_t size, TimePoint used);
  void drop(const std::string& id);
  void evict(TimePoint now);

  const Options options_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::list<std::string> ages_;  ///< ids, the least recently used first
  std::uint64_t bytes_ = 0;
  std::uint64_t temporaries_ = 0;
};

}  // namespace rw::storage
