#include "storage/s3_move.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "media/file_descriptor.h"

namespace rw::storage {
namespace {

tl::unexpected<StoreError> not_moved(const std::string& why) {
  return refuse(StoreError::Kind::destination, "the file was not moved: " + why);
}

}  // namespace

S3Location S3Service::location(const std::string& wanted_region, const std::string& bucket) const {
  auto found = endpoint.value_or(S3Endpoint::of_amazon(wanted_region));
  const auto label = "." + region + ".";
  if (const auto at = found.host.find(label); at != std::string::npos && found.host.ends_with(".amazonaws.com"))
    found.host.replace(at, label.size(), "." + wanted_region + ".");
  return {std::move(found), wanted_region, bucket, path_style};
}

StoreResult<void> S3Mover::copy_file(const StoredPrompt& prompt, const MoveDestination& to) {
  const media::FileDescriptor file(::open(prompt.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return refuse(StoreError::Kind::changed, "the file was replaced meanwhile");
  if (!file) return refuse(StoreError::Kind::storage, std::string("the file can't be read: ") + std::strerror(errno));
  return run(to, prompt.size, [&](S3Client& client) {
    return client.put(to.key, {file.get(), prompt.size, prompt.content_type, to.kms_key});
  });
}

StoreResult<void> S3Mover::copy_object(const std::string& bucket, const S3Object& object, const MoveDestination& to) {
  return run(to, object.size, [&](S3Client& client) { return client.copy_from(bucket, object, to.key, to.kms_key); });
}

StoreResult<void> S3Mover::run(const MoveDestination& to, std::uint64_t size,
                               const std::function<S3Result<S3Object>(S3Client&)>& copy) {
  S3Client client({service_.location(to.region, to.bucket), service_.credentials, service_.patience});
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return not_moved("the server is stopping");
    active_.insert(&client);
  }
  auto copied = copy_and_verify(client, size, copy);
  const std::lock_guard lock(mutex_);
  active_.erase(&client);
  return copied;
}

StoreResult<void> S3Mover::copy_and_verify(S3Client& client, std::uint64_t size,
                                           const std::function<S3Result<S3Object>(S3Client&)>& copy) {
  const auto stored = copy(client);
  if (!stored) return not_moved(stored.error().message);
  const auto found = client.head(stored->key);
  if (!found) return not_moved(found.error().message);
  const bool same =
      found->size == size && found->etag == stored->etag && (stored->sha256.empty() || found->sha256 == stored->sha256);
  if (!same) return not_moved("the copy is not what was sent");
  return {};
}

void S3Mover::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (auto* client : active_) client->stop();
}

}  // namespace rw::storage
