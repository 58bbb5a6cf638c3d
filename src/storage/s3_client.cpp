#include "storage/s3_client.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "storage/s3_answers.h"

namespace rw::storage {
namespace {

using Kind = S3Error::Kind;

constexpr std::uint64_t longest_error = 64 * 1024;

tl::unexpected<S3Error> wrong(std::string message) {
  return tl::unexpected(S3Error{Kind::wrong, "", "S3: " + std::move(message)});
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// Where to the bytes of an object go, and what they have come to.
class FileSink {
 public:
  explicit FileSink(int fd) : fd_(fd), hash_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {}

  void begin() {
    size_ = 0;
    problem_.clear();
    EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr);
    if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) problem_ = std::strerror(errno);
  }
  bool take(std::span<const char> bytes) {
    EVP_DigestUpdate(hash_.get(), bytes.data(), bytes.size());
    size_ += bytes.size();
    while (!bytes.empty() && problem_.empty()) {
      const auto written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        problem_ = std::strerror(errno);
      } else {
        bytes = bytes.subspan(static_cast<std::size_t>(written));
      }
    }
    return problem_.empty();
  }
  std::uint64_t size() const { return size_; }
  const std::string& problem() const { return problem_; }
  std::string sha256() { return finish_hash(hash_.get()); }

 private:
  int fd_;
  std::uint64_t size_ = 0;
  std::string problem_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash_;
};

}  // namespace

S3Result<std::string> hash_of_file(int fd, std::uint64_t offset, std::uint64_t size) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  std::vector<char> buffer(256 * 1024);
  while (size > 0) {
    const auto got =
        ::pread(fd, buffer.data(), std::min<std::uint64_t>(size, buffer.size()), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return wrong(std::string("the file can't be read: ") + std::strerror(errno));
    if (got == 0) return wrong("the file is shorter than it was");
    EVP_DigestUpdate(hash.get(), buffer.data(), static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::uint64_t>(got);
  }
  return finish_hash(hash.get());
}

S3Client::S3Client(Options options)
    : part_bytes_(options.part_bytes),
      connection_(std::move(options.location), std::move(options.credentials), options.patience) {}

S3Result<S3Object> S3Client::put(const std::string& key, const S3Upload& upload) {
  const auto sha256 = hash_of_file(upload.fd, 0, upload.size);
  if (!sha256) return tl::unexpected(sha256.error());
  return upload.size > part_bytes_ ? put_in_parts(key, upload, *sha256) : put_whole(key, upload, *sha256);
}

S3Result<S3Object> S3Client::put_whole(const std::string& key, const S3Upload& upload, const std::string& sha256) {
  S3Request request;
  request.method = "PUT";
  request.key = key;
  request.headers = object_headers(upload.content_type, sha256, upload.kms_key);
  request.file = S3Request::File{upload.fd, 0, upload.size, sha256};
  request.long_running = true;
  request.objection = [](const http::TransferResponse& response) { return without_etag(response); };
  const auto response = connection_.run(request);
  if (!response) return tl::unexpected(response.error());
  return S3Object{key, upload.size, without_quotes(*response->header("etag")), upload.content_type, sha256};
}

S3Result<S3Object> S3Client::head(const std::string& key) {
  S3Request request;
  request.method = "HEAD";
  request.key = key;
  request.objection = [](const http::TransferResponse& response) -> std::optional<S3Error> {
    const auto length = response.header("content-length");
    if (length && number(*length)) return without_etag(response);
    return S3Error{Kind::wrong, "", "S3: an object's answer has no Content-Length"};
  };
  const auto response = connection_.run(request);
  if (!response) return tl::unexpected(response.error());
  const auto text = [&](std::string_view name) { return std::string(response->header(name).value_or("")); };
  return S3Object{key, *number(text("content-length")), without_quotes(text("etag")), text("content-type"),
                  text(sha256_header)};
}

S3Result<void> S3Client::get(const S3Object& object, int fd) {
  FileSink sink(fd);
  S3Request request;
  request.key = object.key;
  request.headers = {{"If-Match", "\"" + object.etag + "\""}};
  request.long_running = true;
  request.most_bytes = object.size + longest_error;  // an error's text may be longer than the object
  request.begin = [&sink] { sink.begin(); };
  request.take = [&sink](std::span<const char> bytes) { return sink.take(bytes); };
  request.objection = [&](const http::TransferResponse& response) -> std::optional<S3Error> {
    if (!sink.problem().empty()) return S3Error{Kind::wrong, "", "the file can't be written: " + sink.problem()};
    if (without_quotes(response.header("etag").value_or("")) != object.etag)
      return S3Error{Kind::changed, "", "S3: the object was replaced while it was fetched"};
    if (sink.size() != object.size)
      return S3Error{
          Kind::wrong, "",
          "S3: an object of " + std::to_string(object.size) + " bytes came with " + std::to_string(sink.size())};
    if (!object.sha256.empty() && sink.sha256() != object.sha256)
      return S3Error{Kind::wrong, "", "S3: an object's bytes are not those that were stored"};
    return std::nullopt;
  };
  const auto response = connection_.run(request);
  if (!response) return tl::unexpected(response.error());
  return {};
}

S3Result<void> S3Client::remove(const std::string& key) {
  S3Request request;
  request.method = "DELETE";
  request.key = key;
  const auto response = connection_.run(request);
  if (!response && response.error().kind != Kind::not_found) return tl::unexpected(response.error());
  return {};
}

S3Result<S3Listing> S3Client::list(const std::string& prefix, const std::string& token, std::size_t most) {
  S3Request request;
  request.query = {
      {"list-type", "2"}, {"prefix", prefix}, {"max-keys", std::to_string(most)}, {"encoding-type", "url"}};
  if (!token.empty()) request.query.emplace_back("continuation-token", token);
  S3Listing listing;
  request.objection = [&listing](const http::TransferResponse& response) -> std::optional<S3Error> {
    auto read = read_listing(response.body);
    if (!read) return S3Error{Kind::wrong, "", "S3: a listing is " + read.error().message};
    listing = std::move(*read);
    return std::nullopt;
  };
  const auto response = connection_.run(request);
  if (!response) return tl::unexpected(response.error());
  return listing;
}

S3Result<S3Object> S3Client::copy_from(const std::string& source_bucket, const S3Object& source, const std::string& key,
                                       const std::string& kms_key) {
  S3Request request;
  request.method = "PUT";
  request.key = key;
  request.headers = {{"x-amz-copy-source", "/" + source_bucket + "/" + auth::aws_encode(source.key, true)},
                     {"x-amz-copy-source-if-match", "\"" + source.etag + "\""}};
  add_encryption(request.headers, kms_key);
  request.long_running = true;
  std::string etag;
  request.objection = [&etag](const http::TransferResponse& response) {
    return read_result(response.body, "CopyObjectResult", etag);
  };
  const auto response = connection_.run(request);
  if (!response) return tl::unexpected(response.error());
  return S3Object{key, source.size, etag, source.content_type, source.sha256};
}

S3Result<void> S3Client::check_bucket() {
  S3Request request;
  request.method = "HEAD";
  const auto response = connection_.run(request);
  if (!response) return tl::unexpected(response.error());
  return {};
}

}  // namespace rw::storage
