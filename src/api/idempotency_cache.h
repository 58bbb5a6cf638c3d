#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "http/exchange.h"

namespace rw::api {

/// Remembers the answers to requests with an Idempotency-Key, so that a repeated request gets the first answer and
/// does nothing again. Thread-safe.
class IdempotencyCache {
 public:
  /// `capacity`: so many keys; the oldest give way. `life`: how long a key is remembered, from its first request.
  explicit IdempotencyCache(std::size_t capacity = 10'000, Duration life = std::chrono::seconds(60));

  /// A responder: the request is new, run it and answer there. Nothing: `respond` has got the first answer, or gets it
  /// when it is there.
  std::optional<http::Responder> admit(const std::string& key, const http::Responder& respond, TimePoint now);

 private:
  struct Entry;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rw::api
