#pragma once

#include <string_view>
#include <vector>

#include "api/jwt_keys.h"
#include "base/result.h"

namespace rw::api {

inline constexpr std::size_t most_jwks_keys = 32;  ///< ◆ of one customer; further ones are left out

/// The keys of a JSON Web Key Set (RFC 7517 section 5) that tokens may be signed with: RSA and EC P-256, for
/// signatures, for RS256 or ES256 if they say for what. Others are left out, as the RFC wants it; an error if the text
/// is no key set at all.
Result<std::vector<JwtKey>> read_jwks(std::string_view text);

}  // namespace rw::api
