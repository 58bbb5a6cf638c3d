#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// AWS Signature Version 4, as S3, Polly and those who speak like them want it: a canonical form of the request,
/// hashed, and signed with a key that is derived from the secret, the day, the region and the service.
namespace rw::auth {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< of temporary credentials, or empty
};

/// What the signature is valid for besides the request itself.
struct SignatureScope {
  std::string region;
  std::string service;    ///< "s3", "polly", "execute-api", …
  std::int64_t time = 0;  ///< seconds since 1970
};

using NameValue = std::pair<std::string, std::string>;

/// A request as it is signed. Nothing of it may change on the way to the server.
struct SignedRequest {
  std::string method;
  std::string path;                ///< as it is sent: percent-encoded, beginning with '/'
  std::vector<NameValue> query;    ///< decoded, in any order
  std::vector<NameValue> headers;  ///< those to be signed, "Host" among them
  std::string payload_hash;        ///< payload_hash() of the body, or unsigned_payload
};

inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

/// Lower-case hex of the body's SHA-256.
std::string payload_hash(std::string_view body);
/// Percent-encodes all but the unreserved characters of RFC 3986; a '/' too, unless `keep_slashes`.
std::string aws_encode(std::string_view text, bool keep_slashes = false);
/// `time` as YYYYMMDD'T'HHMMSS'Z'.
std::string amz_date(std::int64_t time);

/// The canonical request, whose hash is what gets signed. S3 takes the path as it is sent, all other services encode it
/// once more.
std::string canonical_request(const SignedRequest& request, std::string_view service);
/// Names of the request's headers as they stand in SignedHeaders: lower case, sorted, joined by ';'.
std::string signed_header_names(const SignedRequest& request);
/// Lower-case hex of the signature.
std::string signature(const SignedRequest& request, const AwsCredentials& credentials, const SignatureScope& scope);

/// What is signed with: good for one day, region and service, and dearer to make than to use.
using SigningKey = std::array<unsigned char, 32>;
SigningKey signing_key(std::string_view secret_access_key, const SignatureScope& scope);
std::string signature(const SignedRequest& request, const SigningKey& key, const SignatureScope& scope);

/// Signs by headers: the ones that have to be sent with the request besides its own: `x-amz-date`, for S3
/// `x-amz-content-sha256`, `x-amz-security-token` if there is one, and `Authorization`.
std::vector<NameValue> sign(SignedRequest request, const AwsCredentials& credentials, const SignatureScope& scope);
/// Signs by query, so that whoever has the URL may use it for `valid_seconds`: the query as it has to be sent, without
/// '?'. The body isn't signed.
std::string presigned_query(SignedRequest request, const AwsCredentials& credentials, const SignatureScope& scope,
                            std::uint32_t valid_seconds);

}  // namespace rw::auth
