#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/s3_connection.h"

namespace rw::storage {

/// An object in a bucket.
struct S3Object {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;          ///< without quotes
  std::string content_type;  ///< not in listings
  std::string sha256;        ///< hex, of an object that S3Client::put stored; not in listings
};

struct S3Listing {
  std::vector<S3Object> objects;    ///< in the order of their keys' bytes
  std::optional<std::string> next;  ///< for the next call
};

/// A file to be stored. It must not change meanwhile.
struct S3Upload {
  int fd = -1;
  std::uint64_t size = 0;
  std::string content_type;
  std::string kms_key;  ///< with SSE-KMS under this key; empty: as the bucket does it
};

/// What Ringwright does with one S3 bucket. Blocking; thread-safe. Requests are repeated as S3Connection does it.
class S3Client {
 public:
  struct Options {
    S3Location location;
    auth::AwsCredentials credentials;
    S3Patience patience = {};
    std::uint64_t part_bytes = 16ULL * 1024 * 1024;  ///< larger files are sent in parts of this size, or more
  };
  static constexpr std::uint64_t most_parts = 10'000;
  static constexpr std::size_t page = 1000;
  static constexpr std::size_t longest_key = 1024;  ///< bytes

  explicit S3Client(Options options);

  /// Stores a file, all at once or not at all: what failed leaves nothing but, when even the abort fails, parts that
  /// can't be seen. The object carries its SHA-256 as metadata.
  S3Result<S3Object> put(const std::string& key, const S3Upload& upload);
  S3Result<S3Object> head(const std::string& key);
  /// Writes an object into a file, from its beginning on. It has to be what head() has told: the version, the length
  /// and, where it is known, the SHA-256.
  S3Result<void> get(const S3Object& object, int fd);
  /// Removing what isn't there is a success.
  S3Result<void> remove(const std::string& key);
  /// Objects whose keys begin with `prefix`; at most a page. `token`: `next` of the page before, or empty.
  S3Result<S3Listing> list(const std::string& prefix, const std::string& token, std::size_t most = page);
  /// Copies an object of another bucket, or this one, without its bytes coming here. `source`: of head() there.
  S3Result<S3Object> copy_from(const std::string& source_bucket, const S3Object& source, const std::string& key,
                               const std::string& kms_key);
  /// Whether the bucket is there and may be used.
  S3Result<void> check_bucket();
  std::string presigned_get(const std::string& key, std::uint32_t valid_seconds, std::int64_t now) const {
    return connection_.presigned_get(key, valid_seconds, now);
  }
  void stop() { connection_.stop(); }
  const S3Location& location() const { return connection_.location(); }

 private:
  S3Result<S3Object> put_whole(const std::string& key, const S3Upload& upload, const std::string& sha256);
  S3Result<S3Object> put_in_parts(const std::string& key, const S3Upload& upload, const std::string& sha256);
  S3Result<std::string> begin_parts(const std::string& key, const S3Upload& upload, const std::string& sha256);
  S3Result<std::vector<std::string>> put_parts(const std::string& key, const std::string& id, const S3Upload& upload);
  S3Result<S3Object> complete_parts(const std::string& key, const std::string& id,
                                    const std::vector<std::string>& etags, const S3Upload& upload,
                                    const std::string& sha256);

  const std::uint64_t part_bytes_;
  S3Connection connection_;
};

/// Lower-case hex of the SHA-256 of a piece of a file.
S3Result<std::string> hash_of_file(int fd, std::uint64_t offset, std::uint64_t size);

}  // namespace rw::storage
