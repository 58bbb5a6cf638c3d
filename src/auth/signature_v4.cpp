#include "auth/signature_v4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>

#include "base/ascii.h"
#include "base/hex.h"

namespace rw::auth {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

using Digest = SigningKey;

Digest hmac(std::string_view key, std::string_view text) {
  Digest digest{};
  unsigned length = digest.size();
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), digest.data(), &length);
  return digest;
}

std::string_view as_text(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Without spaces at the ends, and one for each run of them.
std::string single_spaced(std::string_view value) {
  std::string result;
  for (const char c : value) {
    const bool space = c == ' ' || c == '\t';
    if (!space) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

std::vector<NameValue> canonical_headers(const SignedRequest& request) {
  std::vector<NameValue> headers;
  headers.reserve(request.headers.size());
  for (const auto& [name, value] : request.headers) headers.emplace_back(lower_case(name), single_spaced(value));
  std::ranges::stable_sort(headers, {}, &NameValue::first);
  // Several of one name count as one with all values.
  std::vector<NameValue> merged;
  for (auto& header : headers) {
    if (!merged.empty() && merged.back().first == header.first) {
      merged.back().second += "," + header.second;
    } else {
      merged.push_back(std::move(header));
    }
  }
  return merged;
}

std::string canonical_query(const SignedRequest& request) {
  std::vector<NameValue> encoded;
  encoded.reserve(request.query.size());
  for (const auto& [name, value] : request.query) encoded.emplace_back(aws_encode(name), aws_encode(value));
  std::ranges::sort(encoded);
  std::string text;
  for (const auto& [name, value] : encoded) {
    if (!text.empty()) text += '&';
    text.append(name).append("=").append(value);
  }
  return text;
}

std::string scope_text(const SignatureScope& scope) {
  return amz_date(scope.time).substr(0, 8) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

}  // namespace

std::string payload_hash(std::string_view body) {
  Digest digest{};
  unsigned length = digest.size();
  ::EVP_Digest(body.data(), body.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return hex(digest);
}

std::string aws_encode(std::string_view text, bool keep_slashes) {
  constexpr std::string_view upper_hex = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~');
    if (unreserved || (keep_slashes && c == '/')) {
      result += c;
    } else {
      result += '%';
      result += upper_hex[byte >> 4];
      result += upper_hex[byte & 0x0f];
    }
  }
  return result;
}

std::string amz_date(std::int64_t time) {
  const auto seconds = static_cast<std::time_t>(time);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc)};
}

std::string canonical_request(const SignedRequest& request, std::string_view service) {
  std::string text = request.method + "\n";
  text += (service == "s3" ? request.path : aws_encode(request.path, true)) + "\n";
  text += canonical_query(request) + "\n";
  for (const auto& [name, value] : canonical_headers(request)) text.append(name).append(":").append(value).append("\n");
  return text + "\n" + signed_header_names(request) + "\n" + request.payload_hash;
}

std::string signed_header_names(const SignedRequest& request) {
  std::string names;
  for (const auto& header : canonical_headers(request)) {
    if (!names.empty()) names += ';';
    names += header.first;
  }
  return names;
}

SigningKey signing_key(std::string_view secret_access_key, const SignatureScope& scope) {
  Digest key = hmac("AWS4" + std::string(secret_access_key), amz_date(scope.time).substr(0, 8));
  key = hmac(as_text(key), scope.region);
  key = hmac(as_text(key), scope.service);
  return hmac(as_text(key), "aws4_request");
}

std::string signature(const SignedRequest& request, const SigningKey& key, const SignatureScope& scope) {
  const auto to_sign = std::string(algorithm) + "\n" + amz_date(scope.time) + "\n" + scope_text(scope) + "\n" +
                       payload_hash(canonical_request(request, scope.service));
  return hex(hmac(as_text(key), to_sign));
}

std::string signature(const SignedRequest& request, const AwsCredentials& credentials, const SignatureScope& scope) {
  return signature(request, signing_key(credentials.secret_access_key, scope), scope);
}

std::vector<NameValue> sign(SignedRequest request, const AwsCredentials& credentials, const SignatureScope& scope) {
  std::vector<NameValue> added{{"x-amz-date", amz_date(scope.time)}};
  if (scope.service == "s3") added.emplace_back("x-amz-content-sha256", request.payload_hash);
  if (!credentials.session_token.empty()) added.emplace_back("x-amz-security-token", credentials.session_token);
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  added.emplace_back("Authorization", std::string(algorithm) + " Credential=" + credentials.access_key_id + "/" +
                                          scope_text(scope) + ", SignedHeaders=" + signed_header_names(request) +
                                          ", Signature=" + signature(request, credentials, scope));
  return added;
}

std::string presigned_query(SignedRequest request, const AwsCredentials& credentials, const SignatureScope& scope,
                            std::uint32_t valid_seconds) {
  request.payload_hash = unsigned_payload;
  auto& query = request.query;
  query.emplace_back("X-Amz-Algorithm", algorithm);
  query.emplace_back("X-Amz-Credential", credentials.access_key_id + "/" + scope_text(scope));
  query.emplace_back("X-Amz-Date", amz_date(scope.time));
  query.emplace_back("X-Amz-Expires", std::to_string(valid_seconds));
  query.emplace_back("X-Amz-SignedHeaders", signed_header_names(request));
  if (!credentials.session_token.empty()) query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  return canonical_query(request) + "&X-Amz-Signature=" + signature(request, credentials, scope);
}

}  // namespace rw::auth
