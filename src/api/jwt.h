#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rw::api {

/// A compact JSON Web Token (RFC 7519) taken apart, not yet believed.
struct Jwt {
  enum class Algorithm : std::uint8_t { hs256, rs256, es256 };
  Algorithm algorithm = Algorithm::hs256;
  std::optional<std::string> kid;  ///< which key has signed it, if the token says so
  boost::json::object claims;
  std::string signed_part;  ///< header and claims as they were sent
  std::string signature;

  /// At most 8 KB; an algorithm other than the three, or a critical extension, is an error.
  static Result<Jwt> parse(std::string_view token);

  /// `exp` is there and has not passed; `nbf`, if there, has (a minute of clock difference is let pass).
  Result<void> check_time(std::chrono::system_clock::time_point now) const;
  /// The claims `domain` and `aud`, as far as they are there, name `domain` (without regard to case).
  bool is_for(std::string_view domain) const;
};

}  // namespace rw::api
