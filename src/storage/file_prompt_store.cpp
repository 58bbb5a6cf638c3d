#include "storage/file_prompt_store.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <stdexcept>

#include "audio/decode.h"
#include "base/base64url.h"

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

tl::unexpected<StoreError> refuse(StoreError::Kind kind, std::string message) {
  return tl::unexpected(StoreError{kind, std::move(message)});
}

/// The next name after all that begin with `prefix`, for a range query.
std::string after(std::string prefix) {
  return prefix += '\x7f';
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
  Upload(FilePromptStore& store, std::string domain, std::string name, std::string object, UploadKind kind, int fd)
      : store_(store),
        domain_(std::move(domain)),
        name_(std::move(name)),
        object_(std::move(object)),
        kind_(kind),
        fd_(fd),
        hash_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr);
  }
  ~Upload() override {
    if (fd_ >= 0) ::close(fd_);
    if (!committed_) ::unlink(path().c_str());
  }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  StoreResult<void> write(std::span<const char> bytes) override {
    size_ += bytes.size();
    if (kind_ == UploadKind::prompt && size_ > max_bytes)
      return refuse(StoreError::Kind::too_large, "the file is larger than 50 MB");
    EVP_DigestUpdate(hash_.get(), bytes.data(), bytes.size());
    while (!bytes.empty()) {
      const auto written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0)
        return refuse(StoreError::Kind::storage, std::string("the file can't be written: ") + std::strerror(errno));
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  StoreResult<StoredPrompt> commit() override {
    auto type = content_type();
    if (!type) return refuse(StoreError::Kind::not_audio, type.error().message);
    if (::fsync(fd_) != 0 || !sync_folder(store_.folder_))
      return refuse(StoreError::Kind::storage, std::string("the file can't be written: ") + std::strerror(errno));
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(hash_.get(), digest.data(), &length);
    StoredPrompt prompt;
    prompt.name = name_;
    prompt.size = size_;
    prompt.content_type = std::move(*type);
    prompt.etag = base64url({reinterpret_cast<const char*>(digest.data()), length});
    prompt.path = path();
    auto stored = store_.put(domain_, object_, prompt);
    committed_ = stored.has_value();
    return stored;
  }

 private:
  std::string path() const { return (store_.folder_ / object_).string(); }
  Result<std::string> content_type() const {
    switch (kind_) {
      case UploadKind::opaque:
        return "application/octet-stream";
      case UploadKind::recording:
        return audio::content_type(path());
      case UploadKind::prompt:
        break;
    }
    return audio::probe(path()).map([](const audio::AudioFacts& facts) { return facts.content_type; });
  }

  FilePromptStore& store_;
  const std::string domain_, name_, object_;
  const UploadKind kind_;
  int fd_;
  std::uint64_t size_ = 0;
  bool committed_ = false;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash_;
};

FilePromptStore::FilePromptStore(Database database, std::filesystem::path folder)
    : database_(std::move(database)), folder_(std::move(folder)) {}

Result<std::unique_ptr<FilePromptStore>> FilePromptStore::open(const std::string& data_dir) {
  const auto folder = std::filesystem::path(data_dir) / "prompts";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(folder.string() + ": " + error.message());
  auto database = Database::open((std::filesystem::path(data_dir) / "ringwright.db").string());
  if (!database) return tl::unexpected(database.error());
  try {
    database->run(schema);
    auto store = std::unique_ptr<FilePromptStore>(
        new FilePromptStore(std::move(*database), folder));  // NOLINT: private constructor
    store->tidy();
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

StoredPrompt FilePromptStore::read(const Statement& row) const {
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
  const int fd = ::open((folder_ / object).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd < 0)
    return refuse(StoreError::Kind::storage, std::string("the file can't be written: ") + std::strerror(errno));
  return std::make_unique<Upload>(*this, domain, name, std::move(object), kind, fd);
}

StoreResult<StoredPrompt> FilePromptStore::put(const std::string& domain, const std::string& object,
                                               const StoredPrompt& prompt) {
  const std::lock_guard lock(mutex_);
  try {
    auto before = database_.prepare("SELECT object FROM prompts WHERE domain = ? AND name = ?");
    before.bind(1, domain).bind(2, prompt.name);
    const std::string replaced = before.step() ? before.text(0) : "";
    auto row = database_.prepare(
        "INSERT OR REPLACE INTO prompts (domain, name, object, size, content_type, etag) VALUES (?, ?, ?, ?, ?, ?)");
    row.bind(1, domain).bind(2, prompt.name).bind(3, object).bind(4, static_cast<std::int64_t>(prompt.size));
    row.bind(5, prompt.content_type).bind(6, prompt.etag).step();
    // Whoever is reading the old file goes on reading it.
    if (!replaced.empty()) ::unlink((folder_ / replaced).c_str());
    if (changed_) changed_(domain);
    return prompt;
  } catch (const std::exception& problem) {
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
  const std::lock_guard lock(mutex_);
  try {
    auto row = database_.prepare("SELECT object FROM prompts WHERE domain = ? AND name = ?");
    row.bind(1, domain).bind(2, name);
    if (!row.step()) return refuse(StoreError::Kind::not_found, "no such file: " + name);
    const auto object = row.text(0);
    auto gone = database_.prepare("DELETE FROM prompts WHERE domain = ? AND name = ?");
    gone.bind(1, domain).bind(2, name).step();
    ::unlink((folder_ / object).c_str());
    if (changed_) changed_(domain);
    return {};
  } catch (const std::exception& problem) {
    return refuse(StoreError::Kind::storage, problem.what());
  }
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
