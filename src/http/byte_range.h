#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rw::http {

/// `length` bytes from `first` on.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

/// What a `Range` header asks of a content of `size` bytes (RFC 9110 section 14.1.2).
struct RangeRequest {
  bool satisfiable = true;         ///< false: 416
  std::optional<ByteRange> range;  ///< nothing: the whole content (no range, several of them, or not understood)
};
RangeRequest read_range(std::string_view header, std::uint64_t size);

}  // namespace rw::http
