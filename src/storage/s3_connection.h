#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "auth/signature_v4.h"
#include "http/transfer.h"
#include "storage/s3_location.h"

namespace rw::storage {

/// Why S3 did not do what it was asked for.
struct S3Error {
  enum class Kind : std::uint8_t {
    not_found,    ///< 404: the object or the bucket
    changed,      ///< 412: no longer the version that was named
    refused,      ///< any other 4xx: credentials, rights, a name; trying again is of no use
    unavailable,  ///< no connection, time-outs, 5xx, in each of several tries
    wrong,        ///< an answer that can't be right, or the local file can't be read or written
    stopped,      ///< stop() was called
  };
  Kind kind = Kind::wrong;
  std::string code;     ///< S3's, as "NoSuchKey"; may be empty
  std::string message;  ///< a sentence
};

template <class T>
using S3Result = tl::expected<T, S3Error>;

/// How often and how long something is tried.
struct S3Patience {
  int tries = 4;
  std::chrono::milliseconds first_pause{200};  ///< doubled with each try, and of random length up to that
  std::chrono::milliseconds longest_pause{5000};
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::seconds stall_timeout{10};                 ///< without a byte
  std::chrono::milliseconds answer_timeout{15'000};       ///< of requests that carry no file
  std::chrono::milliseconds transfer_timeout{1'800'000};  ///< of those that do, and of server-side copies
};

/// A request of one object, or of the bucket. Repeated as it is when a try has failed, so it must mean the same then.
struct S3Request {
  std::string method = "GET";
  std::string key;  ///< empty: the bucket
  std::vector<auth::NameValue> query;
  std::vector<auth::NameValue> headers;  ///< signed, all of them
  std::string body;
  /// A piece of a file, in place of `body`.
  struct File {
    int fd = -1;
    std::uint64_t offset = 0, size = 0;
    std::string hash;  ///< auth::payload_hash() of it
  };
  std::optional<File> file;
  bool long_running = false;                   ///< patience.transfer_timeout is for it
  std::uint64_t most_bytes = 4 * 1024 * 1024;  ///< of the answer
  /// Called before each try, for what `take` has left behind.
  std::function<void()> begin;
  std::function<bool(std::span<const char>)> take;  ///< as in http::TransferRequest
  /// Looks at an answer with a 2xx status; what it objects to counts as a failed try.
  std::function<std::optional<S3Error>(const http::TransferResponse&)> objection;
};

/// Signed requests to one bucket, tried again when that may help: no connection, a broken one, a time-out, 5xx. Never
/// after a 4xx. Blocking; thread-safe; connections are kept open.
class S3Connection {
 public:
  S3Connection(S3Location location, auth::AwsCredentials credentials, S3Patience patience)
      : location_(std::move(location)), credentials_(std::move(credentials)), patience_(patience) {}

  S3Result<http::TransferResponse> run(const S3Request& request);
  /// Anybody who has it may GET the object for `valid_seconds` (at most 7 days) from `now` (seconds since 1970) on.
  std::string presigned_get(const std::string& key, std::uint32_t valid_seconds, std::int64_t now) const;
  /// Requests under way end soon, later ones at once.
  void stop();
  const S3Location& location() const { return location_; }

 private:
  struct Failure {
    S3Error error;
    bool again = false;  ///< it may help to try again
  };
  tl::expected<http::TransferResponse, Failure> once(http::Transfers& transfers, const S3Request& request) const;
  http::TransferRequest to_transfer(const S3Request& request) const;
  bool pause(int after_try);
  http::Transfers borrow();
  void give_back(http::Transfers transfers);

  const S3Location location_;
  const auth::AwsCredentials credentials_;
  const S3Patience patience_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable stop_told_;
  std::vector<http::Transfers> idle_;
};

}  // namespace rw::storage
