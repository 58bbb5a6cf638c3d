#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace rw {

/// Source of unguessable identifiers. One per thread that needs it; seeded by the kernel, buffered so that an id costs
/// no system call.
class IdSource {
 public:
  /// A random (version 4) UUID, RFC 4122, in lower case.
  std::string uuid();
  /// `length` characters of [0-9a-z], for SIP tags, branches and Call-IDs.
  std::string token(std::size_t length);
  std::uint64_t number();

 private:
  std::array<std::uint64_t, 128> pool_{};
  std::size_t next_ = 128;
};

}  // namespace rw
