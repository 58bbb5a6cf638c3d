#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>

#include "storage/prompt_store.h"
#include "storage/s3_client.h"

namespace rw::storage {

/// Where moves go to: an S3 service, with whatever region and bucket a move names.
struct S3Service {
  std::optional<S3Endpoint> endpoint;  ///< nothing: Amazon's of the region
  std::string region;                  ///< that the endpoint belongs to
  bool path_style = false;
  auth::AwsCredentials credentials;
  S3Patience patience = {};

  /// In Amazon's host names, the region of the endpoint gives way to the wanted one.
  S3Location location(const std::string& wanted_region, const std::string& bucket) const;
};

/// Copies prompts to where they are moved, and checks the copies. Thread-safe.
class S3Mover {
 public:
  explicit S3Mover(S3Service service) : service_(std::move(service)) {}

  /// From a local file.
  StoreResult<void> copy_file(const StoredPrompt& prompt, const MoveDestination& to);
  /// From a bucket of the same service, without the bytes coming here.
  StoreResult<void> copy_object(const std::string& bucket, const S3Object& object, const MoveDestination& to);
  /// Copies under way fail soon, later ones at once.
  void stop();

 private:
  /// `copy` returns what it has stored with the client of the destination.
  StoreResult<void> run(const MoveDestination& to, std::uint64_t size,
                        const std::function<S3Result<S3Object>(S3Client&)>& copy);
  static StoreResult<void> copy_and_verify(S3Client& client, std::uint64_t size,
                                           const std::function<S3Result<S3Object>(S3Client&)>& copy);

  const S3Service service_;
  std::mutex mutex_;
  std::set<S3Client*> active_;
  bool stopped_ = false;
};

}  // namespace rw::storage
