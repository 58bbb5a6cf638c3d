#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "http/exchange.h"

namespace rw::api {

/// Remembers the answers to requests with an Idempotency-Key, so that a repeated request gets the first answer and
/// does nothing again. Each owner (a domain) has its own keys, and a bound on them: who is over it gets 429 for new
/// keys, because a key that is promised is not forgotten. Thread-safe.
class IdempotencyCache {
 public:
  /// Keys of an owner that are remembered at once.
  static constexpr std::size_t usual_keys = 10'000;
  /// Bytes of an owner's keys and answers. Answers are counted when they are there.
  static constexpr std::size_t most_bytes = std::size_t{32} << 20;

  /// `life`: how long a key is remembered, from its first request. `refused`: told of each key that is one too many.
  explicit IdempotencyCache(Duration life = std::chrono::seconds(60), std::function<void()> refused = {});

  /// A responder: the request is new, run it and answer there. Nothing: `respond` has got the first answer, or gets it
  /// when it is there, or was told 429. `most`: keys that the owner may have.
  std::optional<http::Responder> admit(const std::string& owner, const std::string& key, std::size_t most,
                                       const http::Responder& respond, TimePoint now);

 private:
  struct Entry;
  struct Owner;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rw::api
