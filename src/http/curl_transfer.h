#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <tl/expected.hpp>

#include "http/curl.h"
#include "http/transfer.h"

namespace rw::http {

/// A request on a handle of libcurl, and what comes of it; for http/ alone. Neither is copied: both must outlive it.
class CurlTransfer {
 public:
  struct Options {
    /// Asked before each piece of the body. False: the transfer pauses, and gives the piece once it goes on.
    std::function<bool()> may_come = {};
    int receive_buffer = 0;  ///< bytes that the kernel keeps of what was not taken; 0: as it likes
  };

  CurlTransfer(const TransferRequest& request, CURL* easy) : CurlTransfer(request, easy, Options()) {}
  CurlTransfer(const TransferRequest& request, CURL* easy, Options options);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  /// Why the request can't be sent at all.
  std::optional<ClientError> refused() const;
  /// The handle is done with it.
  tl::expected<TransferResponse, ClientError> finish(CURLcode result);

 private:
  void set_method();
  bool headers_complete();
  static std::size_t upload_wanted(char* into, std::size_t size, std::size_t count, void* owner);
  static std::size_t header_came(const char* data, std::size_t, std::size_t size, void* owner);
  static std::size_t received(const char* data, std::size_t, std::size_t size, void* owner);
  static int progressed(void* owner, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  const TransferRequest& request_;
  CURL* const easy_;
  const Options options_;
  HeaderList headers_;
  TransferResponse response_;
  std::uint64_t received_ = 0;
  std::size_t header_bytes_ = 0;
  bool enough_ = false, too_large_ = false;
  SocketGuard guard_;
};

/// The answer's body is larger than TransferRequest::most_bytes.
ClientError too_large(const TransferRequest& request);

}  // namespace rw::http
