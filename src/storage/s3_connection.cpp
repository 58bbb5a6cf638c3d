#include "storage/s3_connection.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <random>

#include "storage/xml_element.h"

namespace rw::storage {
namespace {

constexpr std::size_t most_idle = 16;
constexpr std::size_t longest_remark = 300;  ///< of what a server says about an error

std::string query_text(const std::vector<auth::NameValue>& query) {
  std::string text;
  for (const auto& [name, value] : query)
    text += (text.empty() ? "?" : "&") + auth::aws_encode(name) + "=" + auth::aws_encode(value);
  return text;
}

/// What a server wrote, fit for one line of a log.
std::string remark(std::string text) {
  if (text.size() > longest_remark) text.resize(longest_remark);
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, ' ');
  return text;
}

S3Error error_of(const http::TransferResponse& response) {
  S3Error error;
  error.message = "S3 answered " + std::to_string(response.status);
  if (const auto document = XmlElement::parse(response.body); document && document->name == "Error") {
    error.code = remark(document->child_text("Code"));
    error.message += " " + error.code + ": " + remark(document->child_text("Message"));
  }
  if (const auto region = response.header("x-amz-bucket-region"); region && response.status < 400)
    error.message += " (the bucket is in region " + remark(std::string(*region)) + ")";
  const int status = response.status;
  error.kind = status == 404                   ? S3Error::Kind::not_found
               : status == 412                 ? S3Error::Kind::changed
               : status >= 400 && status < 500 ? S3Error::Kind::refused
               : status >= 500                 ? S3Error::Kind::unavailable
                                               : S3Error::Kind::wrong;
  return error;
}

/// Reads a piece of a file for a transfer, from its beginning on. A file that ends early makes the transfer fail.
std::function<std::size_t(std::span<char>)> reader(const S3Request::File& file) {
  return [fd = file.fd, at = file.offset, end = file.offset + file.size](std::span<char> into) mutable -> std::size_t {
    const auto wanted = std::min<std::uint64_t>(into.size(), end - at);
    for (;;) {
      const auto got = ::pread(fd, into.data(), wanted, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return 0;
      at += static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
  };
}

}  // namespace

http::TransferRequest S3Connection::to_transfer(const S3Request& request) const {
  auth::SignedRequest to_sign{.method = request.method,
                              .path = location_.path(request.key),
                              .query = request.query,
                              .headers = request.headers,
                              .payload_hash = request.file ? request.file->hash : auth::payload_hash(request.body)};
  to_sign.headers.emplace_back("Host", location_.host());
  http::TransferRequest transfer;
  transfer.method = request.method;
  transfer.url = location_.url(request.key) + query_text(request.query);
  for (const auto& [name, value] : request.headers)
    transfer.headers.push_back(std::string(name).append(": ").append(value));
  for (const auto& [name, value] :
       auth::sign(std::move(to_sign), credentials_, {location_.region, "s3", std::time(nullptr)}))
    transfer.headers.push_back(std::string(name).append(": ").append(value));
  transfer.body = request.body;
  if (request.file) {
    transfer.upload = reader(*request.file);
    transfer.upload_size = request.file->size;
  }
  transfer.connect_timeout = patience_.connect_timeout;
  transfer.total_timeout = request.long_running ? patience_.transfer_timeout : patience_.answer_timeout;
  // A server-side copy says nothing while it copies.
  transfer.stall_timeout =
      request.long_running && !request.file && !request.take
          ? std::chrono::duration_cast<std::chrono::seconds>(patience_.transfer_timeout) + std::chrono::seconds(1)
          : patience_.stall_timeout;
  transfer.cancel = &stopped_;
  transfer.decode = false;  // what is stored, octet for octet
  transfer.most_bytes = request.most_bytes;
  transfer.take = request.take;
  return transfer;
}

tl::expected<http::TransferResponse, S3Connection::Failure> S3Connection::once(http::Transfers& transfers,
                                                                               const S3Request& request) const {
  if (request.begin) request.begin();
  auto response = transfers.run(to_transfer(request));
  if (!response) {
    const bool large = response.error().kind == http::ClientError::Kind::too_large;
    const auto kind = large ? S3Error::Kind::wrong : S3Error::Kind::unavailable;
    return tl::unexpected(Failure{{kind, "", "S3: " + response.error().message}, !large});
  }
  if (response->status >= 200 && response->status < 300) {
    auto objection = request.objection ? request.objection(*response) : std::nullopt;
    if (!objection) return std::move(*response);
    const bool again = objection->kind == S3Error::Kind::unavailable || objection->kind == S3Error::Kind::wrong;
    return tl::unexpected(Failure{std::move(*objection), again});
  }
  auto error = error_of(*response);
  const bool again = error.kind == S3Error::Kind::unavailable;
  return tl::unexpected(Failure{std::move(error), again});
}

S3Result<http::TransferResponse> S3Connection::run(const S3Request& request) {
  auto transfers = borrow();
  for (int at = 1;; ++at) {
    if (stopped_.load(std::memory_order_relaxed)) break;
    auto response = once(transfers, request);
    if (response || !response.error().again || at >= patience_.tries) {
      give_back(std::move(transfers));
      if (response) return std::move(*response);
      if (stopped_.load(std::memory_order_relaxed)) break;
      return tl::unexpected(std::move(response.error().error));
    }
    if (!pause(at)) break;
  }
  return tl::unexpected(S3Error{S3Error::Kind::stopped, "", "the server is stopping"});
}

bool S3Connection::pause(int after_try) {
  thread_local std::minstd_rand random(std::random_device{}());
  const auto longest = std::min(patience_.longest_pause, patience_.first_pause * (1 << std::min(after_try - 1, 16)));
  const std::chrono::milliseconds length(
      std::uniform_int_distribution<std::int64_t>(longest.count() / 2, longest.count())(random));
  std::unique_lock lock(mutex_);
  return !stop_told_.wait_for(lock, length, [this] { return stopped_.load(std::memory_order_relaxed); });
}

void S3Connection::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stop_told_.notify_all();
}

http::Transfers S3Connection::borrow() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return {};
  auto transfers = std::move(idle_.back());
  idle_.pop_back();
  return transfers;
}

void S3Connection::give_back(http::Transfers transfers) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < most_idle) idle_.push_back(std::move(transfers));
}

std::string S3Connection::presigned_get(const std::string& key, std::uint32_t valid_seconds, std::int64_t now) const {
  auth::SignedRequest request{.method = "GET",
                              .path = location_.path(key),
                              .query = {},
                              .headers = {{"Host", location_.host()}},
                              .payload_hash = {}};
  return location_.url(key) + "?" +
         auth::presigned_query(std::move(request), credentials_, {location_.region, "s3", now}, valid_seconds);
}

}  // namespace rw::storage
