#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rw::storage {

/// Where an S3 service is reached.
struct S3Endpoint {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< with the port, if it isn't the scheme's; an IPv6 address in brackets

  /// "http://HOST[:PORT]" or "https://HOST[:PORT]", a slash at the end allowed. The error says what was expected.
  static Result<S3Endpoint> parse(std::string_view url);
  /// Amazon's of a region.
  static S3Endpoint of_amazon(std::string_view region);
  bool is_ip_address() const;
};

/// One bucket, and how it is addressed.
struct S3Location {
  S3Endpoint endpoint;
  std::string region;
  std::string bucket;
  /// The bucket in the path, not in the host name. An endpoint that is an IP address, and a bucket with dots over
  /// https (no certificate fits its host name), are addressed so in any case.
  bool path_style = false;

  std::string host() const;
  /// Percent-encoded; an empty key stands for the bucket itself.
  std::string path(std::string_view key) const;
  /// Without a query.
  std::string url(std::string_view key) const;
  bool uses_path_style() const;
};

/// 3 to 63 of a-z A-Z 0-9 . _ -, beginning and ending with a letter or digit, no two dots in a row: nothing that could
/// change the meaning of a host name or a path. (S3 itself decides what it calls valid.)
bool is_bucket_name(std::string_view name);
/// 1 to 64 of a-z 0-9 -.
bool is_region_name(std::string_view name);

}  // namespace rw::storage
