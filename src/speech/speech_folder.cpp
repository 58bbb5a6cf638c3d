#include "speech/speech_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

namespace rw::speech {
namespace {

namespace fs = std::filesystem;

constexpr const char* temporary = ".new-";
constexpr std::int64_t stamp_step = 60;        ///< a file's time stamp is no finer than this, in seconds
constexpr std::int64_t sweep_interval = 3600;  ///< between looks for what has expired
constexpr std::uint64_t longest_entry = 512ULL * 1024 * 1024;

/// A descriptor that is closed at the end.
class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string last_problem() {
  return std::strerror(errno);
}

/// Up to `most` bytes from the beginning.
std::optional<std::string> read_file(const std::string& path, std::uint64_t most) {
  const File file(path, O_RDONLY);
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  std::string bytes(std::min<std::uint64_t>(static_cast<std::uint64_t>(facts.st_size), most), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto got = ::read(file.get(), bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<void> write_file(const std::string& path, std::string_view bytes) {
  const File file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) return fail(last_problem());
  while (!bytes.empty()) {
    const auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(last_problem());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) return fail(last_problem());
  return {};
}

void set_stamp(const std::string& path, std::int64_t seconds) {
  const std::array<timespec, 2> times{timespec{.tv_sec = seconds, .tv_nsec = 0},
                                      timespec{.tv_sec = seconds, .tv_nsec = 0}};
  ::utimensat(AT_FDCWD, path.c_str(), times.data(), 0);
}

}  // namespace

Result<std::unique_ptr<SpeechFolder>> SpeechFolder::open(Options options) {
  std::unique_ptr<SpeechFolder> folder(new SpeechFolder(std::move(options)));
  if (auto tidied = folder->tidy(); !tidied) return tl::unexpected(tidied.error());
  return folder;
}

Result<void> SpeechFolder::tidy() {
  struct Found {
    std::string key;
    std::uint64_t bytes;
    std::int64_t expires, used;
  };
  std::error_code error;
  fs::create_directories(options_.path, error);
  if (error) return fail(options_.path + ": " + error.message());
  std::vector<Found> found;
  const auto now = options_.now();
  for (fs::directory_iterator at(options_.path, error), end; !error && at != end; at.increment(error)) {
    const auto path = at->path().string();
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    const auto header = read_file(path, SpeechEntry::header_size);
    const auto expires = header ? expiry_of(*header) : Result<std::int64_t>(fail("can't be read"));
    if (!expires || *expires <= now || at->path().filename().string().starts_with(temporary)) {
      ::unlink(path.c_str());
      continue;
    }
    found.push_back({at->path().filename().string(), static_cast<std::uint64_t>(facts.st_size), *expires,
                     static_cast<std::int64_t>(facts.st_mtim.tv_sec)});
  }
  if (error) return fail(options_.path + ": " + error.message());
  std::ranges::sort(found, {}, &Found::used);
  const std::lock_guard lock(mutex_);
  for (const auto& one : found) enter(one.key, one.bytes, one.expires, one.used);
  swept_ = now;
  make_room();
  return {};
}

std::optional<SpeechEntry> SpeechFolder::find(const std::string& key) {
  const auto now = options_.now();
  std::int64_t expires = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    if (found->second.expires <= now) {
      remove(key);
      return std::nullopt;
    }
    order_.splice(order_.end(), order_, found->second.place);
    expires = found->second.expires;
    if (now - found->second.used >= stamp_step) {
      found->second.used = now;
      set_stamp(path_of(key), now);
    }
  }
  const auto bytes = read_file(path_of(key), longest_entry);
  auto entry = bytes ? unpack(*bytes, key) : Result<SpeechEntry>(fail("it can't be read"));
  if (!entry) {
    discard(key, entry.error().message, expires);
    return std::nullopt;
  }
  return std::move(*entry);
}

Result<void> SpeechFolder::put(const std::string& key, std::string_view bytes) {
  const auto expires = expiry_of(bytes);
  if (!expires) return tl::unexpected(expires.error());
  if (bytes.size() > std::min(longest_entry, options_.most_bytes / 4)) return fail("it is too large for the cache");
  if (options_.has_room && !options_.has_room(bytes.size())) return fail("the disk is nearly full");
  const auto now = options_.now();
  std::string written;
  {
    const std::lock_guard lock(mutex_);
    written = path_of(temporary + std::to_string(++written_));
  }
  auto stored = write_file(written, bytes);
  if (stored) {
    // What came back from the disk is what will be played.
    const auto again = read_file(written, bytes.size() + 1);
    if (!again || !unpack(*again, key)) stored = fail("what was written can't be read back");
  }
  if (stored) {
    set_stamp(written, now);
    const std::lock_guard lock(mutex_);
    if (::rename(written.c_str(), path_of(key).c_str()) == 0) {
      enter(key, bytes.size(), *expires, now);
      make_room();
      return {};
    }
    stored = fail(last_problem());
  }
  ::unlink(written.c_str());
  return stored;
}

std::uint64_t SpeechFolder::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t SpeechFolder::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void SpeechFolder::enter(const std::string& key, std::uint64_t bytes, std::int64_t expires, std::int64_t used) {
  leave(key);
  order_.push_back(key);
  entries_[key] = {bytes, expires, used, std::prev(order_.end())};
  bytes_ += bytes;
}

void SpeechFolder::leave(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  bytes_ -= found->second.bytes;
  order_.erase(found->second.place);
  entries_.erase(found);
}

void SpeechFolder::remove(const std::string& key) {
  ::unlink(path_of(key).c_str());
  leave(key);
}

void SpeechFolder::make_room() {
  const auto now = options_.now();
  if (now - swept_ >= sweep_interval) {
    swept_ = now;
    std::vector<std::string> expired;
    for (const auto& [key, entry] : entries_) {
      if (entry.expires <= now) expired.push_back(key);
    }
    for (const auto& key : expired) remove(key);
  }
  while (bytes_ > options_.most_bytes) remove(std::string(order_.front()));
}

void SpeechFolder::discard(const std::string& key, const std::string& why, std::int64_t expires) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.expires != expires) return;
  options_.log.warning("speech cache: an entry is broken and removed", {{"key", key}, ops::text("reason", why)});
  remove(key);
}

}  // namespace rw::speech
