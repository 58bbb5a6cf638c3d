#include "http/transfer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "http/curl.h"

namespace rw::http {
namespace {

constexpr std::size_t most_header_bytes = 64 * 1024;

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

}  // namespace

std::optional<std::string_view> TransferResponse::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, &std::pair<std::string, std::string>::first);
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

class Transfers::Impl {
 public:
  tl::expected<TransferResponse, ClientError> run(const TransferRequest& request) {
    if (request.url.size() > longest_url) return refused("the URL is longer than 8192 characters");
    // A connection that is at hand was allowed to another request, perhaps not to one that is checked; a redirect would
    // use it even if curl is told to make a new one. So such a request has a handle, and connections, of its own.
    Easy own(request.policy != nullptr ? curl_easy_init() : nullptr);
    if (request.policy == nullptr && !easy_) easy_.reset(curl_easy_init());
    CURL* const easy = request.policy != nullptr ? own.get() : easy_.get();
    if (easy == nullptr) return refused("out of memory");
    Transfer transfer{request};
    transfer.easy = easy;
    const auto headers = header_list(request.headers);
    prepare(transfer, headers.get());
    const CURLcode result = curl_easy_perform(easy);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    if (result == CURLE_OK || transfer.enough) {
      transfer.response.complete = !transfer.enough;
      return std::move(transfer.response);
    }
    if (transfer.guard.refused) return refused(address_refused);
    if (result == CURLE_ABORTED_BY_CALLBACK) return refused("it was given up");
    if (transfer.too_large) return tl::unexpected(too_large(request));
    return tl::unexpected(ClientError{kind_of(result), curl_easy_strerror(result)});
  }

 private:
  struct Transfer {
    const TransferRequest& request;
    CURL* easy = nullptr;
    TransferResponse response = {};
    std::uint64_t received = 0;
    std::size_t header_bytes = 0;
    bool enough = false, too_large = false;
    SocketGuard guard = {request.policy};
  };

  static tl::unexpected<ClientError> refused(std::string why) {
    return tl::unexpected(ClientError{ClientError::Kind::other, std::move(why)});
  }
  static ClientError too_large(const TransferRequest& request) {
    return {ClientError::Kind::too_large, "the answer is larger than " + std::to_string(request.most_bytes) + " bytes"};
  }

  static void prepare(Transfer& transfer, curl_slist* headers) {
    const TransferRequest& request = transfer.request;
    CURL* easy = transfer.easy;
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // what was signed
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.most_redirects > 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, static_cast<long>(request.most_redirects));
    set_usual_options(easy, request.decode);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.count()));
    if (!request.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, request.ca_file.c_str());
    set_method(transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Impl::received);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Impl::header_came);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    guard_sockets(easy, transfer.guard);
    if (request.cancel != nullptr) {
      curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
      curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Impl::progressed);
      curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &transfer);
    }
  }

  static void set_method(Transfer& transfer) {
    const TransferRequest& request = transfer.request;
    CURL* easy = transfer.easy;
    if (request.upload) {
      curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Impl::upload_wanted);
      curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
      curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.upload_size));
    } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    } else if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    if (request.method != "HEAD") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  static std::size_t upload_wanted(char* into, std::size_t size, std::size_t count, void* owner) {
    return static_cast<Transfer*>(owner)->request.upload({into, size * count});
  }

  static std::size_t header_came(const char* data, std::size_t, std::size_t size, void* owner) {
    auto& transfer = *static_cast<Transfer*>(owner);
    const std::string_view line = trim({data, size});
    transfer.header_bytes += size;
    if (transfer.header_bytes > most_header_bytes) return 0;
    if (line.starts_with("HTTP/")) {
      transfer.response.headers.clear();  // those of a redirect, or of a 100
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      std::string name(line.substr(0, colon));
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      transfer.response.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
    } else if (line.empty()) {
      return headers_complete(transfer) ? size : 0;
    }
    return size;
  }

  static bool headers_complete(Transfer& transfer) {
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    const bool redirected = transfer.request.most_redirects > 0 && status >= 300 && status < 400 && status != 304 &&
                            transfer.response.header("location");
    if (status < 200 || redirected || !transfer.request.headers_came) return true;
    transfer.enough = !transfer.request.headers_came(transfer.response);
    return !transfer.enough;
  }

  static std::size_t received(const char* data, std::size_t, std::size_t size, void* owner) {
    auto& transfer = *static_cast<Transfer*>(owner);
    transfer.received += size;
    if (transfer.received > transfer.request.most_bytes) {
      transfer.too_large = true;
      return 0;
    }
    const bool success = transfer.response.status >= 200 && transfer.response.status < 300;
    if (success && transfer.request.take) {
      transfer.enough = !transfer.request.take({data, size});
      return transfer.enough ? 0 : size;
    }
    transfer.response.body.append(data, size);
    return size;
  }

  static int progressed(void* owner, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(owner)->request.cancel->load(std::memory_order_relaxed) ? 1 : 0;
  }

  Easy easy_;
};

Transfers::Transfers() : impl_(std::make_unique<Impl>()) {}
Transfers::~Transfers() = default;
Transfers::Transfers(Transfers&&) noexcept = default;
Transfers& Transfers::operator=(Transfers&&) noexcept = default;

tl::expected<TransferResponse, ClientError> Transfers::run(const TransferRequest& request) {
  return impl_->run(request);
}

}  // namespace rw::http
