#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "base/token_bucket.h"

namespace rw::ops {

/// For lines that anybody can cause by sending us something: lets through so many a second and counts the rest, so that
/// a flood of requests is no flood of lines. Not thread-safe.
class LineLimit {
 public:
  explicit LineLimit(double per_second = 50) : per_second_(per_second) {}

  /// Nothing: the line is left out. Otherwise how many have been since the last one, for its field `leftOut`; empty:
  /// none.
  std::optional<std::string> take(TimePoint now) {
    if (bucket_.take(per_second_, now)) {
      ++left_out_;
      return std::nullopt;
    }
    const auto before = std::exchange(left_out_, 0);
    return before == 0 ? std::string() : std::to_string(before);
  }

 private:
  const double per_second_;
  TokenBucket bucket_;
  std::size_t left_out_ = 0;
};

}  // namespace rw::ops
