#include <algorithm>

#include "storage/s3_answers.h"
#include "storage/s3_client.h"
#include "storage/xml_element.h"

// S3Client's uploads in parts.
namespace rw::storage {
namespace {

using Kind = S3Error::Kind;

/// Text between two tags; an ETag is all that is ever put there.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

S3Result<S3Object> S3Client::put_in_parts(const std::string& key, const S3Upload& upload, const std::string& sha256) {
  const auto id = begin_parts(key, upload, sha256);
  if (!id) return tl::unexpected(id.error());
  const auto etags = put_parts(key, *id, upload);
  auto stored = etags ? complete_parts(key, *id, *etags, upload, sha256) : tl::unexpected(etags.error());
  if (!stored) {
    S3Request abort;
    abort.method = "DELETE";
    abort.key = key;
    abort.query = {{"uploadId", *id}};
    (void)connection_.run(abort);  // if it fails as well, what is left is for the bucket's lifecycle rule
  }
  return stored;
}

S3Result<std::string> S3Client::begin_parts(const std::string& key, const S3Upload& upload, const std::string& sha256) {
  S3Request request;
  request.method = "POST";
  request.key = key;
  request.query = {{"uploads", ""}};
  request.headers = object_headers(upload.content_type, sha256, upload.kms_key);
  std::string id;
  request.objection = [&id](const http::TransferResponse& response) -> std::optional<S3Error> {
    const auto document = XmlElement::parse(response.body);
    if (document) id = document->child_text("UploadId");
    if (!id.empty()) return std::nullopt;
    return S3Error{Kind::wrong, "", "S3: an upload was begun, but got no UploadId"};
  };
  const auto response = connection_.run(request);
  if (!response) return tl::unexpected(response.error());
  return id;
}

S3Result<std::vector<std::string>> S3Client::put_parts(const std::string& key, const std::string& id,
                                                       const S3Upload& upload) {
  const auto part_size = std::max(part_bytes_, (upload.size + most_parts - 1) / most_parts);
  std::vector<std::string> etags;
  for (std::uint64_t at = 0; at < upload.size; at += part_size) {
    const auto size = std::min(part_size, upload.size - at);
    const auto hash = hash_of_file(upload.fd, at, size);
    if (!hash) return tl::unexpected(hash.error());
    S3Request request;
    request.method = "PUT";
    request.key = key;
    request.query = {{"partNumber", std::to_string(etags.size() + 1)}, {"uploadId", id}};
    request.file = S3Request::File{upload.fd, at, size, *hash};
    request.long_running = true;
    request.objection = [](const http::TransferResponse& response) { return without_etag(response); };
    const auto response = connection_.run(request);
    if (!response) return tl::unexpected(response.error());
    etags.push_back(without_quotes(*response->header("etag")));
  }
  return etags;
}

S3Result<S3Object> S3Client::complete_parts(const std::string& key, const std::string& id,
                                            const std::vector<std::string>& etags, const S3Upload& upload,
                                            const std::string& sha256) {
  S3Request request;
  request.method = "POST";
  request.key = key;
  request.query = {{"uploadId", id}};
  request.headers = {{"Content-Type", "application/xml"}};
  request.body = "<CompleteMultipartUpload>";
  for (std::size_t at = 0; at < etags.size(); ++at) {
    request.body += "<Part><PartNumber>" + std::to_string(at + 1) + "</PartNumber><ETag>\"" + escaped(etags[at]) +
                    "\"</ETag></Part>";
  }
  request.body += "</CompleteMultipartUpload>";
  request.long_running = true;
  std::string etag;
  request.objection = [&etag](const http::TransferResponse& response) {
    return read_result(response.body, "CompleteMultipartUploadResult", etag);
  };
  const auto response = connection_.run(request);
  if (response) return S3Object{key, upload.size, etag, upload.content_type, sha256};
  // A try may have been served without its answer having come, and the next one finds no such upload.
  if (response.error().kind == Kind::not_found || response.error().kind == Kind::unavailable) {
    if (auto stored = head(key); stored && stored->size == upload.size && stored->sha256 == sha256) return stored;
  }
  return tl::unexpected(response.error());
}

}  // namespace rw::storage
