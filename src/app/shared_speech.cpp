#include "app/shared_speech.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "app/make_prompt_store.h"
#include "base/time.h"
#include "storage/s3_client.h"

namespace rw::app {
namespace {

constexpr std::uint64_t longest_entry = 64ULL * 1024 * 1024;

/// A file in memory, for a client that stores and fetches files.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("speech", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int fd() const { return fd_; }

  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto written = ::write(fd_, bytes.data(), bytes.size());
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  std::string read(std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t at = 0;
    while (at < size) {
      const auto got = ::pread(fd_, bytes.data() + at, size - at, static_cast<off_t>(at));
      if (got <= 0) break;
      at += static_cast<std::size_t>(got);
    }
    bytes.resize(at);
    return bytes;
  }

 private:
  int fd_;
};

/// Somebody waits for the speech: a bucket that is slow is not waited for, and one that was away is left alone for a
/// while.
storage::S3Patience short_patience() {
  storage::S3Patience patience;
  patience.tries = 1;
  patience.connect_timeout = std::chrono::milliseconds(500);
  patience.stall_timeout = std::chrono::seconds(1);
  patience.answer_timeout = std::chrono::milliseconds(1500);
  patience.transfer_timeout = std::chrono::seconds(5);
  return patience;
}
constexpr Duration left_alone = std::chrono::seconds(30);

class BucketSpeech final : public speech::SharedSpeechStore {
 public:
  BucketSpeech(storage::S3Client::Options s3, std::string prefix) : s3_(std::move(s3)), prefix_(std::move(prefix)) {}

  Result<std::optional<std::string>> get(const std::string& key) override {
    if (Clock::now() < away_until_.load()) return std::optional<std::string>();
    const auto object = s3_.head(prefix_ + key);
    if (!object && object.error().kind == storage::S3Error::Kind::not_found) return std::optional<std::string>();
    if (!object) {
      away_until_ = Clock::now() + left_alone;
      return fail(object.error().message);
    }
    if (object->size > longest_entry) return fail("it is too large");
    const MemoryFile file;
    if (const auto fetched = s3_.get(*object, file.fd()); !fetched) return fail(fetched.error().message);
    return file.read(object->size);
  }

  Result<void> put(const std::string& key, std::string_view bytes, std::int64_t /*expires*/) override {
    if (Clock::now() < away_until_.load()) return {};
    const MemoryFile file;
    if (!file.write(bytes)) return fail("no memory for it");
    const auto stored = s3_.put(prefix_ + key, {file.fd(), bytes.size(), "application/octet-stream", {}});
    if (!stored) return fail(stored.error().message);
    return {};
  }

 private:
  storage::S3Client s3_;
  const std::string prefix_;
  std::atomic<TimePoint> away_until_{TimePoint{}};
};

}  // namespace

std::shared_ptr<speech::SharedSpeechStore> make_shared_speech(const Config& config) {
  if (!config.storage.s3) return nullptr;
  const auto service = service_of(config.storage);
  if (!service) return nullptr;
  storage::S3Client::Options options;
  options.location = service->location(config.storage.region, config.storage.bucket);
  options.credentials = config.storage.credentials;
  options.patience = short_patience();
  return std::make_shared<BucketSpeech>(std::move(options), config.storage.prefix + ".speech/");
}

}  // namespace rw::app
