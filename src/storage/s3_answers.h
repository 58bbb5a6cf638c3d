#pragma once

#include <openssl/evp.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/s3_client.h"

/// What S3 is told in headers, and what it says: for S3Client's own use.
namespace rw::storage {

/// The metadata in which an object carries the SHA-256 of its bytes, in hex.
inline constexpr std::string_view sha256_header = "x-amz-meta-sha256";

/// The headers with which an object is made.
std::vector<auth::NameValue> object_headers(const std::string& content_type, const std::string& sha256,
                                            const std::string& kms_key);
/// Asks for SSE-KMS, unless the key is empty.
void add_encryption(std::vector<auth::NameValue>& headers, const std::string& kms_key);

std::string without_quotes(std::string_view etag);
/// An objection to an answer that has no ETag.
std::optional<S3Error> without_etag(const http::TransferResponse& response);

/// ListBucketResult.
Result<S3Listing> read_listing(std::string_view body);
/// The body of a 200 answer to a request that S3 worked on after it had begun to answer: `root` with an ETag, or an
/// error after all.
std::optional<S3Error> read_result(std::string_view body, std::string_view root, std::string& etag);

/// Ends a hash; lower-case hex.
std::string finish_hash(EVP_MD_CTX* hash);

}  // namespace rw::storage
