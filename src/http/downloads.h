#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "http/transfer.h"

namespace rw::http {

/// A body that comes no faster than it is read. Whoever destroys it wants no more. One thread at a time, any.
class Download {
 public:
  virtual ~Download() = default;
  /// The status and the headers of the answer (no redirect's), once they are there.
  virtual std::optional<TransferResponse> head() const = 0;
  struct Bytes {
    std::size_t put = 0;
    bool over = false;  ///< no more comes
  };
  /// Puts what has come of the body of a 2xx answer, decoded, into `room`; that of another is not kept. Nothing, and
  /// not over: it has to be waited for. An error says why it failed or broke off, after what came before.
  virtual tl::expected<Bytes, ClientError> read(std::span<char> room) = 0;
};

/// Sends HTTP requests whose answers are read bit by bit, on one thread for all: what nobody reads yet is left with its
/// sender. Thread-safe.
class Downloads {
 public:
  struct Options {
    std::size_t most = 2000;             ///< at a time; others wait for their turn
    std::size_t most_of_an_owner = 500;  ///< of those
    std::size_t buffer = 32 * 1024;      ///< bytes of each that are kept before its sender has to wait
    /// Where they may lead. The same for all, since they share connections.
    net::AddressPolicy policy = net::AddressPolicy({});
    std::string ca_file = {};  ///< certificates that are trusted in place of the system's
  };
  explicit Downloads(Options options);
  /// What is under way fails. Outlived by its downloads.
  ~Downloads();
  Downloads(const Downloads&) = delete;
  Downloads& operator=(const Downloads&) = delete;

  /// `owner`: for which domain; these take turns. `came` is called on another thread when there may be something to
  /// read, perhaps still when the download has just been destroyed, and must not block. Of the request `take`,
  /// `headers_came`, `decode`, `policy` and `ca_file` are not used; `most_bytes` counts what is decoded.
  std::unique_ptr<Download> begin(const std::string& owner, TransferRequest request, std::function<void()> came);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rw::http
