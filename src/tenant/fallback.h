#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

/// What is done with the calls of a number while its application is away (section 9 of the behaviour).
namespace rw::tenant {

/// One entry, as it is kept.
struct Fallback {
  enum class Mode : std::uint8_t {
    on_error,  ///< the application is asked first
    always     ///< it is not asked
  };
  std::string domain;
  std::string number;  ///< SIP user part; empty: the domain's numbers that have no entry of their own
  Mode mode = Mode::on_error;
  std::int64_t expires = 0;  ///< seconds since 1970; not used from then on
  std::string command;       ///< JSON object that has been checked: `action` and `phrases`
  bool operator==(const Fallback&) const = default;
};

std::string_view to_string(Fallback::Mode mode);

/// Limits, so that what callers of the API store stays small enough to be kept in memory.
inline constexpr std::size_t longest_fallback_number = 128;
inline constexpr std::size_t longest_fallback_command = 32 * 1024;  ///< bytes of its JSON
inline constexpr std::size_t most_fallbacks = 1000;                 ///< of one domain

}  // namespace rw::tenant
