#include "storage/s3_prompt_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "auth/signature_v4.h"
#include "base/base64url.h"
#include "media/file_descriptor.h"
#include "storage/upload_file.h"

namespace rw::storage {
namespace {

using Kind = StoreError::Kind;

constexpr std::size_t longest_token = 4096;
constexpr int most_pages = 20;   ///< looked through for a name without its extension
constexpr int most_fetches = 3;  ///< of one prompt that is replaced again and again

tl::unexpected<StoreError> no_such(const std::string& name) {
  return refuse(Kind::not_found, "no such file: " + name);
}

tl::unexpected<StoreError> store_error(const S3Error& error) {
  switch (error.kind) {
    case S3Error::Kind::changed:
      return refuse(Kind::changed, error.message);
    case S3Error::Kind::unavailable:
    case S3Error::Kind::stopped:
      return refuse(Kind::unavailable, "prompt storage can't be reached: " + error.message);
    case S3Error::Kind::not_found:
    case S3Error::Kind::refused:
      return refuse(Kind::refused, "prompt storage refuses: " + error.message);
    case S3Error::Kind::wrong:
      break;
  }
  return refuse(Kind::storage, error.message);
}

/// Under which a version of an object lies in the cache.
std::string cache_id(const S3Object& object) {
  return auth::payload_hash(object.key + "\n" + object.etag);
}

}  // namespace

/// Writes to a local file, which is sent when it is complete.
class S3PromptStore::Upload final : public PromptUpload {
 public:
  Upload(S3PromptStore& store, std::string domain, std::string name, std::string key, UploadKind kind,
         std::unique_ptr<UploadFile> file)
      : store_(store),
        domain_(std::move(domain)),
        name_(std::move(name)),
        key_(std::move(key)),
        kind_(kind),
        file_(std::move(file)) {}

  StoreResult<void> write(std::span<const char> bytes) override { return file_->write(bytes); }
  StoreResult<bool> check_some() override { return file_->check_some(); }

  StoreResult<StoredPrompt> commit() override {
    auto facts = file_->finish();
    if (!facts) return tl::unexpected(std::move(facts.error()));
    const auto stored = store_.client_.put(key_, {file_->fd(), facts->size, facts->content_type, {}});
    if (!stored) return store_error(stored.error());
    StoredPrompt prompt{name_, facts->size, std::move(facts->content_type), stored->etag, {}};
    // What is played will be wanted here soon; a recording perhaps never.
    if (kind_ == UploadKind::prompt) {
      if (auto path = store_.cache_->adopt(cache_id(*stored), file_->path(), facts->size)) {
        file_->keep();
        prompt.path = std::move(*path);
      }
    }
    store_.changed_here(domain_, name_);
    return prompt;
  }

 private:
  S3PromptStore& store_;
  const std::string domain_, name_, key_;
  const UploadKind kind_;
  const std::unique_ptr<UploadFile> file_;
};

/// Bytes on their way into the cache.
struct S3PromptStore::Fetch {
  std::condition_variable ended;
  std::optional<StoreResult<std::string>> result;
};

S3PromptStore::S3PromptStore(Options options, std::unique_ptr<FileCache> cache)
    : prefix_(std::move(options.prefix)),
      client_(std::move(options.s3)),
      mover_(std::move(options.move_to)),
      cache_(std::move(cache)),
      shares_(std::move(options.shares)) {}

Result<std::unique_ptr<S3PromptStore>> S3PromptStore::open(Options options) {
  auto cache = FileCache::open(options.cache);
  if (!cache) return tl::unexpected(cache.error());
  return std::unique_ptr<S3PromptStore>(
      new S3PromptStore(std::move(options), std::move(*cache)));  // NOLINT: private constructor
}

std::string S3PromptStore::folder_of(const std::string& domain) const {
  auto folder = auth::aws_encode(domain);
  if (folder == "." || folder == "..") folder = folder.size() == 1 ? "%2E" : "%2E%2E";
  return prefix_ + folder + "/";
}

StoreResult<std::string> S3PromptStore::key_of(const std::string& domain, const std::string& name) const {
  if (auto valid = check_name(name); !valid) return tl::unexpected(std::move(valid.error()));
  auto key = folder_of(domain) + name;
  if (key.size() > S3Client::longest_key)
    return refuse(Kind::invalid_name, "filename: too long, in bytes, for the S3 bucket");
  return key;
}

StoreResult<std::unique_ptr<PromptUpload>> S3PromptStore::begin(const std::string& domain, const std::string& name,
                                                                UploadKind kind) {
  auto key = key_of(domain, name);
  if (!key) return tl::unexpected(std::move(key.error()));
  auto file =
      UploadFile::create(cache_->temporary(), kind, {shares_, kind == UploadKind::prompt ? domain : std::string()});
  if (!file) return tl::unexpected(std::move(file.error()));
  return std::make_unique<Upload>(*this, domain, name, std::move(*key), kind, std::move(*file));
}

StoreResult<S3Object> S3PromptStore::exact(const std::string& domain, const std::string& name) {
  const auto key = key_of(domain, name);
  if (!key) return no_such(name);
  auto found = client_.head(*key);
  if (found) return std::move(*found);
  if (found.error().kind == S3Error::Kind::not_found) return no_such(name);
  return store_error(found.error());
}

StoreResult<S3Object> S3PromptStore::locate(const std::string& domain, const std::string& name) {
  auto found = exact(domain, name);
  if (found || found.error().kind != Kind::not_found) return found;
  const auto key = key_of(domain, name);
  if (!key) return no_such(name);
  return locate_longer(*key, name);
}

StoreResult<S3Object> S3PromptStore::locate_longer(const std::string& key, const std::string& name) {
  std::string token;
  for (int at = 0; at < most_pages; ++at) {
    const auto listing = client_.list(key + ".", token);
    if (!listing) return store_error(listing.error());
    for (const auto& object : listing->objects) {
      if (!object.key.starts_with(key + ".") || object.key.find_first_of("./", key.size() + 1) != std::string::npos)
        continue;
      auto found = client_.head(object.key);
      if (found) return std::move(*found);
      if (found.error().kind != S3Error::Kind::not_found) return store_error(found.error());
    }
    if (!listing->next) break;
    token = *listing->next;
  }
  return no_such(name);
}

StoreResult<StoredPrompt> S3PromptStore::find(const std::string& domain, const std::string& name) {
  const auto asked = domain + "\n" + name;
  {
    const std::lock_guard lock(mutex_);
    if (Clock::now() < outage_until_) {
      if (auto prompt = known(asked)) return std::move(*prompt);
    }
  }
  auto found = find_in_bucket(domain, name);
  const std::lock_guard lock(mutex_);
  if (!found && found.error().kind == Kind::unavailable) {
    if (auto prompt = known(asked)) {
      outage_until_ = Clock::now() + outage_pause;
      return std::move(*prompt);
    }
  }
  remember(asked, found);
  return found;
}

std::optional<StoredPrompt> S3PromptStore::known(const std::string& asked) {
  const auto at = known_.find(asked);
  if (at == known_.end()) return std::nullopt;
  auto prompt = at->second.prompt;
  const auto path = cache_->find(at->second.id, prompt.size);
  if (!path) return std::nullopt;
  prompt.path = *path;
  return prompt;
}

void S3PromptStore::remember(const std::string& asked, const StoreResult<StoredPrompt>& found) {
  if (found) {
    outage_until_ = {};
    if (known_.size() >= most_known && !known_.contains(asked)) known_.erase(known_.begin());
    known_[asked] = {*found, std::filesystem::path(found->path).filename().string()};
  } else if (found.error().kind == Kind::not_found) {
    known_.erase(asked);
  }
}

void S3PromptStore::changed_here(const std::string& domain, const std::string& name) {
  const auto prefix = domain + "\n";
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(known_, [&](const auto& one) {
      return one.first.starts_with(prefix) && (one.second.prompt.name == name || one.first == prefix + name);
    });
  }
  tell_change(domain);
}

StoreResult<StoredPrompt> S3PromptStore::find_in_bucket(const std::string& domain, const std::string& name) {
  for (int at = 1;; ++at) {
    auto object = locate(domain, name);
    if (!object) return tl::unexpected(std::move(object.error()));
    auto path = local_file(*object);
    if (path) {
      return StoredPrompt{object->key.substr(folder_of(domain).size()), object->size, object->content_type,
                          object->etag, std::move(*path)};
    }
    if (path.error().kind != Kind::changed || at == most_fetches) return tl::unexpected(std::move(path.error()));
  }
}

StoreResult<std::string> S3PromptStore::local_file(const S3Object& object) {
  const auto id = cache_id(object);
  std::shared_ptr<Fetch> under_way;
  {
    std::unique_lock lock(mutex_);
    if (auto path = cache_->find(id, object.size)) return std::move(*path);
    auto& place = fetches_[id];
    if (place) {
      under_way = place;
      under_way->ended.wait(lock, [&] { return under_way->result.has_value(); });
      return *under_way->result;
    }
    place = under_way = std::make_shared<Fetch>();
  }
  auto result = fetch(object, id);
  {
    const std::lock_guard lock(mutex_);
    under_way->result = result;
    fetches_.erase(id);
  }
  under_way->ended.notify_all();
  return result;
}

StoreResult<std::string> S3PromptStore::fetch(const S3Object& object, const std::string& id) {
  const auto temporary = cache_->temporary();
  const auto failed = [&](std::string why) {
    ::unlink(temporary.c_str());
    return refuse(Kind::storage, std::move(why));
  };
  const media::FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (!file) return refuse(Kind::storage, temporary + ": " + std::strerror(errno));
  if (auto got = client_.get(object, file.get()); !got) {
    ::unlink(temporary.c_str());
    // Removed since it was looked up is as good as replaced: it is looked up again.
    if (got.error().kind == S3Error::Kind::not_found) return refuse(Kind::changed, got.error().message);
    return store_error(got.error());
  }
  if (::fsync(file.get()) != 0) return failed(temporary + ": " + std::strerror(errno));
  auto path = cache_->adopt(id, temporary, object.size);
  if (!path) return failed(path.error().message);
  return std::move(*path);
}

StoreResult<void> S3PromptStore::remove(const std::string& domain, const std::string& name) {
  const auto object = exact(domain, name);
  if (!object) return tl::unexpected(object.error());
  if (auto removed = client_.remove(object->key); !removed) return store_error(removed.error());
  changed_here(domain, name);
  return {};
}

StoreResult<PromptStore::Page> S3PromptStore::list(const std::string& domain, const std::string& next) {
  const auto not_ours = [] { return refuse(Kind::invalid_name, "next: not one that was returned here"); };
  const auto token = from_base64url(next);
  if (!token || token->size() > longest_token) return not_ours();
  const auto folder = folder_of(domain);
  const auto listing = client_.list(folder, *token);
  if (!listing && !token->empty() && listing.error().kind == S3Error::Kind::refused) return not_ours();
  if (!listing) return store_error(listing.error());
  Page found;
  for (const auto& object : listing->objects) {
    if (!object.key.starts_with(folder)) continue;
    auto name = object.key.substr(folder.size());
    if (check_name(name)) found.prompts.push_back({std::move(name), object.size, {}, object.etag, {}});
  }
  if (listing->next) found.next = base64url(*listing->next);
  return found;
}

StoreResult<PromptStore::Link> S3PromptStore::link(const std::string& domain, const std::string& name,
                                                   std::chrono::seconds valid) {
  const auto object = locate(domain, name);
  if (!object) return tl::unexpected(object.error());
  return Link{object->key.substr(folder_of(domain).size()),
              client_.presigned_get(object->key, static_cast<std::uint32_t>(valid.count()), std::time(nullptr))};
}

StoreResult<void> S3PromptStore::move(const std::string& domain, const std::string& name,
                                      const MoveDestination& destination) {
  if (destination.bucket == client_.location().bucket)
    return refuse(Kind::invalid_name, "bucketName: is prompt storage itself, expected another bucket");
  const auto object = exact(domain, name);
  if (!object) return tl::unexpected(object.error());
  if (auto copied = mover_.copy_object(client_.location().bucket, *object, destination); !copied) return copied;
  const auto now = exact(domain, name);
  if (!now && now.error().kind != Kind::not_found) return tl::unexpected(now.error());
  if (now && now->etag != object->etag)
    return refuse(Kind::changed, "the file was replaced meanwhile; the older one has been copied");
  if (auto removed = client_.remove(object->key); !removed) return store_error(removed.error());
  changed_here(domain, name);
  return {};
}

void S3PromptStore::stop() {
  client_.stop();
  mover_.stop();
}

StoreResult<void> S3PromptStore::check_bucket() {
  if (auto checked = client_.check_bucket(); !checked) return store_error(checked.error());
  return {};
}

}  // namespace rw::storage
