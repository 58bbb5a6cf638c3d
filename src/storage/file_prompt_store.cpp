#include "storage/file_prompt_store.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <stdexcept>

#include "base/base64url.h"
#include "storage/upload_file.h"

namespace rw::storage {
namespace {

constexpr const char* schema =
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);"
    "INSERT INTO schema_version SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM schema_version);"
    "CREATE TABLE IF NOT EXISTS prompts ("
    " domain TEXT NOT NULL, name TEXT NOT NULL, object TEXT NOT NULL, size INTEGER NOT NULL, content_type TEXT NOT "
    "NULL,"
    " etag TEXT NOT NULL, PRIMARY KEY (domain, name)) WITHOUT ROWID";

constexpr const char* columns = "name, size, content_type, etag, object";

/// The next name after all that begin with `prefix`, for a range query.
std::string after(std::string prefix) {
  return prefix += '\x7f';
}

/// Whether there is hardly any room left on its disk.
bool is_full(const std::filesystem::path& folder) {
  struct statvfs disk {};
  constexpr std::uint64_t little = 1 << 20;
  return ::statvfs(folder.c_str(), &disk) == 0 && disk.f_bavail * disk.f_frsize < little;
}

/// Whether what was made or removed in `folder` is on the disk.
bool sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return synced;
}

}  // namespace

/// Writes to a file beside the others, which becomes the prompt's when it is complete.
class FilePromptStore::Upload final : public PromptUpload {
 public:
  Upload(FilePromptStore& store, std::string domain, std::string name, std::unique_ptr<UploadFile> file)
      : store_(store), domain_(std::move(domain)), name_(std::move(name)), file_(std::move(file)) {}

  StoreResult<void> write(std::span<const char> bytes) override { return file_->write(bytes); }

  StoreResult<bool> check_some() override { return file_->check_some(); }
  StoreResult<StoredPrompt> commit() override {
    auto facts = file_->finish();
    if (!facts) return tl::unexpected(std::move(facts.error()));
    if (!sync_folder(store_.folder_))
      return refuse(StoreError::Kind::storage, std::string("the file can't be written: ") + std::strerror(errno));
    file_->release_space();
    auto stored = store_.put(
        domain_, {name_, facts->size, std::move(facts->content_type), base64url(facts->sha256), file_->path()});
    if (stored) file_->keep();
    return stored;
  }

 private:
  FilePromptStore& store_;
  const std::string domain_, name_;
  const std::unique_ptr<UploadFile> file_;
};

FilePromptStore::FilePromptStore(database::SqliteFile database, std::filesystem::path folder,
                                 std::shared_ptr<DiskShares> shares)
    : database_(std::move(database)), folder_(std::move(folder)), shares_(std::move(shares)) {}

Result<std::unique_ptr<FilePromptStore>> FilePromptStore::open(const std::string& data_dir,
                                                               std::optional<S3Service> move_to, bool alone,
                                                               std::shared_ptr<DiskShares> shares) {
  const auto folder = std::filesystem::path(data_dir) / "prompts";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(folder.string() + ": " + error.message());
  auto database = database::SqliteFile::open((std::filesystem::path(data_dir) / "ringwright.db").string());
  if (!database) return tl::unexpected(database.error());
  try {
    database->run(schema);
    auto store = std::unique_ptr<FilePromptStore>(
        new FilePromptStore(std::move(*database), folder, std::move(shares)));  // NOLINT: private constructor
    if (alone) store->tidy();
    store->count_all();
    if (move_to) store->mover_ = std::make_unique<S3Mover>(std::move(*move_to));
    return store;
  } catch (const std::exception& problem) {
    return fail(data_dir + ": " + problem.what());
  }
}

void FilePromptStore::tidy() {
  std::set<std::string> known;
  auto rows = database_.prepare("SELECT object FROM prompts");
  while (rows.step()) known.insert(rows.text(0));
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::error_code ignored;
    if (!known.contains(entry.path().filename().string())) std::filesystem::remove(entry.path(), ignored);
  }
}

void FilePromptStore::count_all() {
  if (!shares_) return;
  auto rows = database_.prepare("SELECT domain, size FROM prompts");
  while (rows.step()) shares_->add(rows.text(0), DiskShares::on_disk(static_cast<std::uint64_t>(rows.number(1))));
}

void FilePromptStore::gone(const std::string& domain, std::int64_t size) {
  if (shares_) shares_->give_back(domain, DiskShares::on_disk(static_cast<std::uint64_t>(size)));
}

StoredPrompt FilePromptStore::read(const database::Statement& row) const {
  return {row.text(0), static_cast<std::uint64_t>(row.number(1)), row.text(2), row.text(3),
          (folder_ / row.text(4)).string()};
}

StoreResult<std::unique_ptr<PromptUpload>> FilePromptStore::begin(const std::string& domain, const std::string& name,
                                                                  UploadKind kind) {
  if (auto valid = check_name(name); !valid) return tl::unexpected(valid.error());
  std::string object;
  {
    const std::lock_guard lock(mutex_);
    object = ids_.uuid();
  }
  // A recording is counted where it was written, until it is here.
  auto file = UploadFile::create((folder_ / object).string(), kind,
                                 {shares_, kind == UploadKind::prompt ? domain : std::string()});
  if (!file) return tl::unexpected(std::move(file.error()));
  return std::make_unique<Upload>(*this, domain, name, std::move(*file));
}

StoreResult<StoredPrompt> FilePromptStore::put(const std::string& domain, const StoredPrompt& prompt) {
  const std::lock_guard lock(mutex_);
  try {
    std::string replaced;
    std::int64_t replaced_size = 0;
    {
      auto before = database_.prepare("SELECT object, size FROM prompts WHERE domain = ? AND name = ?");
      if (before.bind(1, domain).bind(2, prompt.name).step()) {
        replaced = before.text(0);
        replaced_size = before.number(1);
      }
    }
    auto row = database_.prepare(
        "INSERT OR REPLACE INTO prompts (domain, name, object, size, content_type, etag) VALUES (?, ?, ?, ?, ?, ?)");
    row.bind(1, domain)
        .bind(2, prompt.name)
        .bind(3, std::filesystem::path(prompt.path).filename().string())
        .bind(4, static_cast<std::int64_t>(prompt.size));
    row.bind(5, prompt.content_type).bind(6, prompt.etag).step();
    // Whoever is reading the old file goes on reading it.
    if (!replaced.empty()) {
      ::unlink((folder_ / replaced).c_str());
      gone(domain, replaced_size);
    }
    if (shares_) shares_->add(domain, DiskShares::on_disk(prompt.size));
    tell_change(domain);
    return prompt;
  } catch (const std::exception& problem) {
    if (is_full(folder_)) return refuse(StoreError::Kind::no_room, "no room: the server's disk is full");
    return refuse(StoreError::Kind::storage, problem.what());
  }
}

StoreResult<StoredPrompt> FilePromptStore::find(const std::string& domain, const std::string& name) {
  const std::lock_guard lock(mutex_);
  try {
    auto exact =
        database_.prepare((std::string("SELECT ") + columns + " FROM prompts WHERE domain = ? AND name = ?").c_str());
    exact.bind(1, domain).bind(2, name);
    if (exact.step()) return read(exact);
    auto longer = database_.prepare(
        (std::string("SELECT ") + columns + " FROM prompts WHERE domain = ? AND name > ? AND name < ? ORDER BY name")
            .c_str());
    longer.bind(1, domain).bind(2, name + ".").bind(3, after(name + "."));
    while (longer.step()) {
      if (longer.text(0).find('.', name.size() + 1) == std::string::npos) return read(longer);
    }
  } catch (const std::exception& problem) {
    return refuse(StoreError::Kind::storage, problem.what());
  }
  return refuse(StoreError::Kind::not_found, "no such file: " + name);
}

StoreResult<void> FilePromptStore::remove(const std::string& domain, const std::string& name) {
  return remove_version(domain, name, "");
}

/// On a disk that is full to the last block there is no room for the note that a file has gone: its own is used.
void FilePromptStore::remove_row(const std::string& domain, const std::string& name, const std::string& object) {
  const auto remove = [&] {
    auto row = database_.prepare("DELETE FROM prompts WHERE domain = ? AND name = ?");
    row.bind(1, domain).bind(2, name).step();
  };
  try {
    remove();
  } catch (const database::SqliteProblem&) {
    if (!is_full(folder_) || ::truncate((folder_ / object).c_str(), 0) != 0) throw;
    remove();
  }
}

StoreResult<void> FilePromptStore::remove_version(const std::string& domain, const std::string& name,
                                                  const std::string& etag) {
  const std::lock_guard lock(mutex_);
  try {
    std::string object;
    std::int64_t size = 0;
    {
      auto row = database_.prepare("SELECT object, etag, size FROM prompts WHERE domain = ? AND name = ?");
      row.bind(1, domain).bind(2, name);
      if (!row.step()) return refuse(StoreError::Kind::not_found, "no such file: " + name);
      if (!etag.empty() && row.text(1) != etag)
        return refuse(StoreError::Kind::changed, "the file was replaced meanwhile; the older one has been copied");
      object = row.text(0);
      size = row.number(2);
    }
    remove_row(domain, name, object);
    ::unlink((folder_ / object).c_str());
    gone(domain, size);
    tell_change(domain);
    return {};
  } catch (const std::exception& problem) {
    return refuse(StoreError::Kind::storage, problem.what());
  }
}

StoreResult<void> FilePromptStore::move(const std::string& domain, const std::string& name,
                                        const MoveDestination& destination) {
  if (!mover_) return PromptStore::move(domain, name, destination);
  const auto prompt = find(domain, name);
  if (!prompt) return tl::unexpected(prompt.error());
  if (prompt->name != name) return refuse(StoreError::Kind::not_found, "no such file: " + name);
  if (auto copied = mover_->copy_file(*prompt, destination); !copied) return copied;
  return remove_version(domain, name, prompt->etag);
}

void FilePromptStore::stop() {
  if (mover_) mover_->stop();
}

StoreResult<PromptStore::Page> FilePromptStore::list(const std::string& domain, const std::string& next) {
  const auto begin = from_base64url(next);
  if (!begin) return refuse(StoreError::Kind::invalid_name, "next: not one that was returned here");
  const std::lock_guard lock(mutex_);
  try {
    auto rows = database_.prepare(
        (std::string("SELECT ") + columns + " FROM prompts WHERE domain = ? AND name > ? ORDER BY name LIMIT ?")
            .c_str());
    rows.bind(1, domain).bind(2, *begin).bind(3, static_cast<std::int64_t>(page + 1));
    Page found;
    while (rows.step()) {
      if (found.prompts.size() == page) {
        found.next = base64url(found.prompts.back().name);
        break;
      }
      found.prompts.push_back(read(rows));
    }
    return found;
  } catch (const std::exception& problem) {
    return refuse(StoreError::Kind::storage, problem.what());
  }
}

}  // namespace rw::storage
