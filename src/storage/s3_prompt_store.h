#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "storage/disk_shares.h"
#include "storage/file_cache.h"
#include "storage/prompt_store.h"
#include "storage/s3_client.h"
#include "storage/s3_move.h"

namespace rw::storage {

/// Prompts in an S3 bucket, under `<prefix><domain>/<name>`; any number of servers may share it. The domain stands
/// there percent-encoded, so that it can't hold a slash. What is played or fetched is kept in `<data_dir>/s3-cache`, a
/// file for each key and ETag; every find() asks the bucket whether that is still the current one.
class S3PromptStore final : public PromptStore {
 public:
  struct Options {
    S3Client::Options s3;
    std::string prefix;
    FileCache::Options cache;
    S3Service move_to;
    std::shared_ptr<DiskShares> shares = nullptr;  ///< where uploads on their way are counted; null: nowhere
  };
  /// Doesn't ask the bucket anything.
  static Result<std::unique_ptr<S3PromptStore>> open(Options options);

  StoreResult<std::unique_ptr<PromptUpload>> begin(const std::string& domain, const std::string& name,
                                                   UploadKind kind = UploadKind::prompt) override;
  StoreResult<StoredPrompt> find(const std::string& domain, const std::string& name) override;
  StoreResult<void> remove(const std::string& domain, const std::string& name) override;
  StoreResult<Page> list(const std::string& domain, const std::string& next) override;
  /// A pre-signed URL of the bucket.
  StoreResult<Link> link(const std::string& domain, const std::string& name, std::chrono::seconds valid) override;
  /// A server-side copy.
  StoreResult<void> move(const std::string& domain, const std::string& name,
                         const MoveDestination& destination) override;
  bool remote() const override { return true; }
  void stop() override;
  /// Whether the bucket is there and may be used.
  StoreResult<void> check_bucket();

 private:
  class Upload;
  struct Fetch;
  /// Versions that find() has told: what calls go on with while the bucket can't be reached.
  static constexpr std::size_t most_known = 20'000;
  static constexpr std::chrono::seconds outage_pause{5};  ///< for so long the bucket isn't asked again for those
  S3PromptStore(Options options, std::unique_ptr<FileCache> cache);
  std::string folder_of(const std::string& domain) const;
  StoreResult<std::string> key_of(const std::string& domain, const std::string& name) const;
  StoreResult<S3Object> exact(const std::string& domain, const std::string& name);
  /// By the exact name, or without the extension.
  StoreResult<S3Object> locate(const std::string& domain, const std::string& name);
  StoreResult<S3Object> locate_longer(const std::string& key, const std::string& name);
  /// The path of the object's bytes, which are fetched once however many ask at the same time.
  StoreResult<std::string> local_file(const S3Object& object);
  StoreResult<std::string> fetch(const S3Object& object, const std::string& id);
  StoreResult<StoredPrompt> find_in_bucket(const std::string& domain, const std::string& name);
  /// What find() told last, if it is still here.
  std::optional<StoredPrompt> known(const std::string& asked);
  /// A prompt was replaced or removed by this server.
  void changed_here(const std::string& domain, const std::string& name);
  void remember(const std::string& asked, const StoreResult<StoredPrompt>& found);

  const std::string prefix_;
  S3Client client_;
  S3Mover mover_;
  const std::unique_ptr<FileCache> cache_;
  const std::shared_ptr<DiskShares> shares_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Fetch>> fetches_;  ///< by id, those under way
  struct Known {
    StoredPrompt prompt;
    std::string id;  ///< in the cache
  };
  std::unordered_map<std::string, Known> known_;  ///< by domain and name as asked for
  TimePoint outage_until_;
};

}  // namespace rw::storage
