#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "ops/log.h"
#include "speech/speech_entry.h"

namespace rw::speech {

/// The speech entries of a folder, a file each, limited in bytes: the least recently used go first. A file appears
/// whole or not at all, is checked whenever it is read, and what is broken is removed. One process per folder.
/// Thread-safe.
class SpeechFolder {
 public:
  struct Options {
    std::string path;
    std::uint64_t most_bytes = 1024ULL * 1024 * 1024;
    std::function<std::int64_t()> now;  ///< seconds since 1970
    ops::Log log;
    std::function<bool(std::uint64_t bytes)> has_room = {};  ///< whether the disk has; empty: it is not asked
  };
  /// Makes the folder if it isn't there, and tidies it: leftovers of writers that were killed, what has expired, what
  /// is too much.
  static Result<std::unique_ptr<SpeechFolder>> open(Options options);

  /// `key`: letters and digits. Nothing if there is none, or if it has expired or is broken.
  std::optional<SpeechEntry> find(const std::string& key);
  /// The entry's bytes, as pack() made them. An error changes nothing: what was there before is there.
  Result<void> put(const std::string& key, std::string_view bytes);
  std::uint64_t bytes() const;
  std::size_t entries() const;

 private:
  struct Entry {
    std::uint64_t bytes = 0;
    std::int64_t expires = 0;
    std::int64_t used = 0;  ///< the file's time stamp, by which the order survives a restart
    std::list<std::string>::iterator place;
  };

  explicit SpeechFolder(Options options) : options_(std::move(options)) {}
  Result<void> tidy();
  std::string path_of(const std::string& key) const { return options_.path + "/" + key; }
  void enter(const std::string& key, std::uint64_t bytes, std::int64_t expires, std::int64_t used);
  void leave(const std::string& key);
  void remove(const std::string& key);
  void make_room();
  /// Removes the file, unless somebody has put another there since it was read.
  void discard(const std::string& key, const std::string& why, std::int64_t expires);

  const Options options_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::list<std::string> order_;  ///< keys, the least recently used first
  std::uint64_t bytes_ = 0;
  std::uint64_t written_ = 0;  ///< names the temporary files
  std::int64_t swept_ = 0;
};

}  // namespace rw::speech
