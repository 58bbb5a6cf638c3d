#include "api/jwt.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/ascii.h"
#include "base/base64url.h"
#include "base/json_fields.h"
#include "base/json_text.h"
#include "base/utf8.h"

namespace rw::api {
namespace {

constexpr std::size_t longest_token = 8192;

/// What is signed is read as it stands: none of the leniency of bodies, and no member twice.
Result<boost::json::object> json_part(std::string_view text) {
  const auto decoded = from_base64url(text);
  if (!decoded) return fail("not a JSON Web Token");
  return read_strict_json_object(*decoded);
}

}  // namespace

Result<Jwt> Jwt::parse(std::string_view token) {
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (token.size() > longest_token || first == std::string_view::npos || first == last ||
      token.find('.', first + 1) != last) {
    return fail("not a JSON Web Token");
  }
  auto header = json_part(token.substr(0, first));
  auto claims = json_part(token.substr(first + 1, last - first - 1));
  auto signature = from_base64url(token.substr(last + 1));
  for (const auto* part : {&header, &claims}) {
    if (!*part) return fail("not a JSON Web Token: " + std::string(utf8_prefix(part->error().message, 100)));
  }
  if (!signature) return fail("not a JSON Web Token");
  Jwt jwt;
  const auto name = JsonFields(*header).text("alg").value_or("");
  if (name == "RS256") {
    jwt.algorithm = Algorithm::rs256;
  } else if (name == "ES256") {
    jwt.algorithm = Algorithm::es256;
  } else if (name != "HS256") {
    return fail("the token's alg is none of RS256, ES256 and HS256");
  }
  if (header->contains("crit")) return fail("the token has a critical extension that is not known here");
  if (const auto* kid = header->if_contains("kid")) {
    const auto* text = kid->if_string();
    if (text == nullptr) return fail("the token's kid: expected text");
    jwt.kid = std::string(*text);
  }
  jwt.claims = std::move(*claims);
  jwt.signed_part = token.substr(0, last);
  jwt.signature = std::move(*signature);
  return jwt;
}

Result<void> Jwt::check_time(std::chrono::system_clock::time_point now) const {
  constexpr double latest = 1e12;
  constexpr double clock_difference = 60;
  const auto seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  JsonFields fields(claims);
  const auto expiry = fields.number("exp", 0, latest);
  const auto not_before = fields.number("nbf", 0, latest);
  if (fields.error()) return tl::unexpected(*fields.error());
  if (!expiry) return fail("the token has no exp");
  if (*expiry <= seconds) return fail("the token has expired");
  if (not_before && *not_before > seconds + clock_difference) return fail("the token is not valid yet");
  return {};
}

bool Jwt::is_for(std::string_view domain) const {
  const auto names_it = [domain](const boost::json::value& value) {
    const auto* text = value.if_string();
    return text != nullptr && same_letters(std::string_view(*text), domain);
  };
  if (const auto* named = claims.if_contains("domain"); named != nullptr && !names_it(*named)) return false;
  const auto* audience = claims.if_contains("aud");
  if (audience == nullptr || names_it(*audience)) return true;
  const auto* several = audience->if_array();
  return several != nullptr && std::any_of(several->begin(), several->end(), names_it);
}

}  // namespace rw::api
