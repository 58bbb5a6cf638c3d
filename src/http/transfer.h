#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "http/client.h"
#include "net/address_policy.h"

namespace rw::http {

/// One request whose sender waits for the answer.
struct TransferRequest {
  std::string method = "GET";
  std::string url;                   ///< http or https, up to longest_url
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  /// In place of `body`, read piece by piece: fills the span and returns how much, 0 at the end (at `upload_size`).
  std::function<std::size_t(std::span<char>)> upload;
  std::uint64_t upload_size = 0;

  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds total_timeout{30'000};  ///< connecting and redirects included
  std::chrono::seconds stall_timeout{10};           ///< without a byte
  int most_redirects = 0;
  std::string ca_file = {};                    ///< certificates that are trusted in place of the system's
  const net::AddressPolicy* policy = nullptr;  ///< null: any address
  const std::atomic<bool>* cancel = nullptr;   ///< looked at about once a second, and with each piece

  std::uint64_t most_bytes = 1024 * 1024;  ///< of the answer's body, when it has been decoded
  bool decode = true;                      ///< a Content-Encoding, though none is asked for
  /// Takes the body of a 2xx answer as it comes, in place of TransferResponse::body. False: no more of it is wanted,
  /// and the transfer ends as a success.
  std::function<bool(std::span<const char>)> take;
  /// Called when the headers of the last answer (no redirect) are there. False: as with `take`.
  std::function<bool(const struct TransferResponse&)> headers_came;
};

struct TransferResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
  bool complete = true;  ///< false: `take` or `headers_came` wanted no more

  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

inline constexpr std::size_t longest_url = 8192;

/// Sends HTTP requests one after the other and waits for each answer, for background threads; keeps connections open.
/// One thread at a time.
class Transfers {
 public:
  Transfers();
  ~Transfers();
  Transfers(Transfers&&) noexcept;
  Transfers& operator=(Transfers&&) noexcept;

  /// Any status is a response. An error says what failed, and never has the URL's query in it.
  tl::expected<TransferResponse, ClientError> run(const TransferRequest& request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rw::http
