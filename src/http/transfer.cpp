#include "http/transfer.h"

#include <algorithm>
#include <utility>

#include "http/curl_transfer.h"

namespace rw::http {

std::optional<std::string_view> TransferResponse::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, &std::pair<std::string, std::string>::first);
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

class Transfers::Impl {
 public:
  tl::expected<TransferResponse, ClientError> run(const TransferRequest& request) {
    // A connection that is at hand was allowed to another request, perhaps not to one that is checked; a redirect would
    // use it even if curl is told to make a new one. So such a request has a handle, and connections, of its own.
    Easy own(request.policy != nullptr ? curl_easy_init() : nullptr);
    if (request.policy == nullptr && !easy_) easy_.reset(curl_easy_init());
    CURL* const easy = request.policy != nullptr ? own.get() : easy_.get();
    if (easy == nullptr) return tl::unexpected(ClientError{ClientError::Kind::other, "out of memory"});
    CurlTransfer transfer(request, easy);
    if (auto refused = transfer.refused()) return tl::unexpected(*std::move(refused));
    return transfer.finish(curl_easy_perform(easy));
  }

 private:
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
