#include "http/curl_transfer.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>

namespace rw::http {
namespace {

constexpr std::size_t most_header_bytes = 64 * 1024;

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

}  // namespace

ClientError too_large(const TransferRequest& request) {
  return {ClientError::Kind::too_large, "the answer is larger than " + std::to_string(request.most_bytes) + " bytes"};
}

CurlTransfer::CurlTransfer(const TransferRequest& request, CURL* easy, Options options)
    : request_(request),
      easy_(easy),
      options_(std::move(options)),
      headers_(header_list(request.headers)),
      guard_{request.policy, options_.receive_buffer} {
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // what was signed
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.most_redirects > 0 ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, static_cast<long>(request.most_redirects));
  set_usual_options(easy, request.decode);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.count()));
  if (!request.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, request.ca_file.c_str());
  set_method();
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlTransfer::received);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlTransfer::header_came);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  guard_sockets(easy, guard_);
  if (request.cancel != nullptr) {
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &CurlTransfer::progressed);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  }
}

std::optional<ClientError> CurlTransfer::refused() const {
  if (request_.url.size() <= longest_url) return std::nullopt;
  return ClientError{ClientError::Kind::other, "the URL is longer than " + std::to_string(longest_url) + " characters"};
}

void CurlTransfer::set_method() {
  if (request_.upload) {
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &CurlTransfer::upload_wanted);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.upload_size));
  } else if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  } else if (request_.method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  }
  if (request_.method != "HEAD") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

tl::expected<TransferResponse, ClientError> CurlTransfer::finish(CURLcode result) {
  const auto failed = [](ClientError::Kind kind, std::string why) {
    return tl::unexpected(ClientError{kind, std::move(why)});
  };
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  if (result == CURLE_OK || enough_) {
    response_.complete = !enough_;
    return std::move(response_);
  }
  if (guard_.refused) return failed(ClientError::Kind::other, address_refused);
  if (result == CURLE_ABORTED_BY_CALLBACK) return failed(ClientError::Kind::other, "it was given up");
  if (too_large_) return tl::unexpected(too_large(request_));
  return failed(kind_of(result), curl_easy_strerror(result));
}

std::size_t CurlTransfer::upload_wanted(char* into, std::size_t size, std::size_t count, void* owner) {
  return static_cast<CurlTransfer*>(owner)->request_.upload({into, size * count});
}

std::size_t CurlTransfer::header_came(const char* data, std::size_t, std::size_t size, void* owner) {
  auto& self = *static_cast<CurlTransfer*>(owner);
  const std::string_view line = trim({data, size});
  self.header_bytes_ += size;
  if (self.header_bytes_ > most_header_bytes) return 0;
  if (line.starts_with("HTTP/")) {
    self.response_.headers.clear();  // those of a redirect, or of a 100
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    self.response_.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
  } else if (line.empty()) {
    return self.headers_complete() ? size : 0;
  }
  return size;
}

bool CurlTransfer::headers_complete() {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  const bool redirected =
      request_.most_redirects > 0 && status >= 300 && status < 400 && status != 304 && response_.header("location");
  if (status < 200 || redirected || !request_.headers_came) return true;
  enough_ = !request_.headers_came(response_);
  return !enough_;
}

std::size_t CurlTransfer::received(const char* data, std::size_t, std::size_t size, void* owner) {
  auto& self = *static_cast<CurlTransfer*>(owner);
  if (self.options_.may_come && !self.options_.may_come()) return CURL_WRITEFUNC_PAUSE;
  self.received_ += size;
  if (self.received_ > self.request_.most_bytes) {
    self.too_large_ = true;
    return 0;
  }
  const bool success = self.response_.status >= 200 && self.response_.status < 300;
  if (success && self.request_.take) {
    self.enough_ = !self.request_.take({data, size});
    return self.enough_ ? 0 : size;
  }
  self.response_.body.append(data, size);
  return size;
}

int CurlTransfer::progressed(void* owner, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<CurlTransfer*>(owner)->request_.cancel->load(std::memory_order_relaxed) ? 1 : 0;
}

}  // namespace rw::http
