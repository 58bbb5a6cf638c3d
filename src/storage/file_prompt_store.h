#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "storage/database.h"
#include "storage/prompt_store.h"

namespace rw::storage {

/// Prompts in a folder, named in SQLite: `<data_dir>/prompts/<id>` and `<data_dir>/ringwright.db`. Nothing of a
/// prompt's name reaches the file system.
class FilePromptStore final : public PromptStore {
 public:
  /// Makes what is missing, and removes what an earlier process left half done.
  static Result<std::unique_ptr<FilePromptStore>> open(const std::string& data_dir);

  /// `changed` is called, on whatever thread did it, when a prompt of a domain has been replaced or removed. Before the
  /// store is used.
  void on_change(std::function<void(const std::string& domain)> changed) { changed_ = std::move(changed); }

  StoreResult<std::unique_ptr<PromptUpload>> begin(const std::string& domain, const std::string& name,
                                                   UploadKind kind = UploadKind::prompt) override;
  StoreResult<StoredPrompt> find(const std::string& domain, const std::string& name) override;
  StoreResult<void> remove(const std::string& domain, const std::string& name) override;
  StoreResult<Page> list(const std::string& domain, const std::string& next) override;

 private:
  class Upload;
  FilePromptStore(Database database, std::filesystem::path folder);
  void tidy();
  StoredPrompt read(const Statement& row) const;
  StoreResult<StoredPrompt> put(const std::string& domain, const std::string& object, const StoredPrompt& prompt);

  std::mutex mutex_;
  Database database_;
  const std::filesystem::path folder_;
  IdSource ids_;
  std::function<void(const std::string&)> changed_;
};

}  // namespace rw::storage
