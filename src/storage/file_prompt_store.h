#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "database/sqlite_file.h"
#include "storage/disk_shares.h"
#include "storage/prompt_store.h"
#include "storage/s3_move.h"

namespace rw::storage {

/// Prompts in a folder, named in SQLite: `<data_dir>/prompts/<id>` and `<data_dir>/ringwright.db`. Nothing of a
/// prompt's name reaches the file system.
class FilePromptStore final : public PromptStore {
 public:
  /// Makes what is missing, and removes what an earlier process left half done, unless another one may be at it: then
  /// this one is not `alone`. `move_to`: without it nothing can be moved. `shares`: where what domains have
  /// here is counted; null: nowhere.
  static Result<std::unique_ptr<FilePromptStore>> open(const std::string& data_dir,
                                                       std::optional<S3Service> move_to = std::nullopt,
                                                       bool alone = true, std::shared_ptr<DiskShares> shares = nullptr);

  StoreResult<std::unique_ptr<PromptUpload>> begin(const std::string& domain, const std::string& name,
                                                   UploadKind kind = UploadKind::prompt) override;
  StoreResult<StoredPrompt> find(const std::string& domain, const std::string& name) override;
  StoreResult<void> remove(const std::string& domain, const std::string& name) override;
  StoreResult<Page> list(const std::string& domain, const std::string& next) override;
  StoreResult<void> move(const std::string& domain, const std::string& name,
                         const MoveDestination& destination) override;
  void stop() override;

 private:
  class Upload;
  FilePromptStore(database::SqliteFile database, std::filesystem::path folder, std::shared_ptr<DiskShares> shares);
  void tidy();
  void count_all();
  void remove_row(const std::string& domain, const std::string& name, const std::string& object);
  void gone(const std::string& domain, std::int64_t size);
  StoredPrompt read(const database::Statement& row) const;
  StoreResult<StoredPrompt> put(const std::string& domain, const StoredPrompt& prompt);
  /// `etag`: removes only this version; empty: any.
  StoreResult<void> remove_version(const std::string& domain, const std::string& name, const std::string& etag);

  std::mutex mutex_;
  database::SqliteFile database_;
  const std::filesystem::path folder_;
  const std::shared_ptr<DiskShares> shares_;
  IdSource ids_;
  std::unique_ptr<S3Mover> mover_;
};

}  // namespace rw::storage
