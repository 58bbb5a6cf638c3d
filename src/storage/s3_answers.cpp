#include "storage/s3_answers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "base/hex.h"
#include "base/utf8.h"
#include "http/target.h"
#include "storage/xml_element.h"

namespace rw::storage {
namespace {

/// A key of a listing with encoding-type=url, where '+' is a space.
std::optional<std::string> decoded(std::string key) {
  std::ranges::replace(key, '+', ' ');
  return http::percent_decode(key);
}

}  // namespace

std::vector<auth::NameValue> object_headers(const std::string& content_type, const std::string& sha256,
                                            const std::string& kms_key) {
  std::vector<auth::NameValue> headers{{"Content-Type", content_type}, {std::string(sha256_header), sha256}};
  add_encryption(headers, kms_key);
  return headers;
}

void add_encryption(std::vector<auth::NameValue>& headers, const std::string& kms_key) {
  if (kms_key.empty()) return;
  headers.emplace_back("x-amz-server-side-encryption", "aws:kms");
  headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", kms_key);
}

std::string without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

std::optional<S3Error> without_etag(const http::TransferResponse& response) {
  if (!without_quotes(response.header("etag").value_or("")).empty()) return std::nullopt;
  return S3Error{S3Error::Kind::wrong, "", "S3: an object's answer has no ETag"};
}

Result<S3Listing> read_listing(std::string_view body) {
  const auto document = XmlElement::parse(body);
  if (!document) return tl::unexpected(document.error());
  if (document->name != "ListBucketResult") return fail("not the XML that was expected");
  const bool encoded = document->child_text("EncodingType") == "url";
  S3Listing listing;
  for (const auto& entry : document->children) {
    if (entry.name != "Contents") continue;
    auto key = entry.child_text("Key");
    if (encoded) {
      auto plain = decoded(std::move(key));
      if (!plain) continue;  // not UTF-8: none of ours
      key = std::move(*plain);
    }
    S3Object object;
    object.key = std::move(key);
    const auto size = entry.child_text("Size");
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), object.size);
    if (error != std::errc() || end != size.data() + size.size()) return fail("without the size of an object");
    object.etag = without_quotes(entry.child_text("ETag"));
    listing.objects.push_back(std::move(object));
  }
  if (document->child_text("IsTruncated") == "true") {
    listing.next = document->child_text("NextContinuationToken");
    if (listing.next->empty()) return fail("without the token of its next page");
  }
  return listing;
}

std::optional<S3Error> read_result(std::string_view body, std::string_view root, std::string& etag) {
  const auto document = XmlElement::parse(body);
  if (!document || (document->name != root && document->name != "Error"))
    return S3Error{S3Error::Kind::wrong, "", "S3: the answer is not the XML that was expected"};
  if (document->name == "Error") {
    const auto code = document->child_text("Code");
    const bool again = code == "InternalError" || code == "SlowDown" || code == "ServiceUnavailable";
    return S3Error{again ? S3Error::Kind::unavailable : S3Error::Kind::refused, code,
                   "S3 answered " + std::string(utf8_prefix(code, 100)) + ": " +
                       std::string(utf8_prefix(document->child_text("Message"), 300))};
  }
  etag = without_quotes(document->child_text("ETag"));
  if (etag.empty()) return S3Error{S3Error::Kind::wrong, "", "S3: an object's answer has no ETag"};
  return std::nullopt;
}

std::string finish_hash(EVP_MD_CTX* hash) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(hash, digest.data(), &length);
  return hex(std::span(digest).first(length));
}

}  // namespace rw::storage
