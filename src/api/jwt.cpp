#include "api/jwt.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "api/json_body.h"
#include "base/base64url.h"
#include "base/json_fields.h"

namespace rw::api {
namespace {

constexpr std::size_t longest_token = 8192;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// The two integers of an ES256 signature (RFC 7518 section 3.4) in the DER form that OpenSSL reads.
std::string ecdsa_der(std::string_view signature) {
  if (signature.size() != 64) return {};
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), &ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(bytes(signature), 32, nullptr);
  BIGNUM* s = BN_bin2bn(bytes(signature) + 32, 32, nullptr);
  if (!pair || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  std::string der(80, '\0');
  auto* end = reinterpret_cast<unsigned char*>(der.data());
  const int length = i2d_ECDSA_SIG(pair.get(), &end);
  der.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return der;
}

bool verify(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text), text.size()) == 1;
}

bool hmac_matches(const std::string& secret, std::string_view text, std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  return HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes(text), text.size(), digest.data(),
              &length) != nullptr &&
         signature.size() == length && CRYPTO_memcmp(digest.data(), signature.data(), length) == 0;
}

bool is_p256(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == 256;
}

Result<boost::json::object> json_part(std::string_view text) {
  const auto decoded = from_base64url(text);
  if (!decoded) return fail("not a JSON Web Token");
  auto object = parse_json_body(*decoded);
  if (!object) return fail("not a JSON Web Token");
  return object;
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
  if (!header || !claims || !signature) return fail("not a JSON Web Token");
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
    return text != nullptr && boost::beast::iequals(std::string_view(*text), domain);
  };
  if (const auto* named = claims.if_contains("domain"); named != nullptr && !names_it(*named)) return false;
  const auto* audience = claims.if_contains("aud");
  if (audience == nullptr || names_it(*audience)) return true;
  const auto* several = audience->if_array();
  return several != nullptr && std::any_of(several->begin(), several->end(), names_it);
}

JwtKeys::JwtKeys(const std::vector<std::string>& public_keys, std::string secret) : secret_(std::move(secret)) {
  for (const auto& pem : public_keys) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                         &BIO_free);
    if (!text) continue;
    std::unique_ptr<EVP_PKEY, FreeKey> key(PEM_read_bio_PUBKEY(text.get(), nullptr, nullptr, nullptr));
    if (key) keys_.push_back(std::move(key));
  }
}

bool JwtKeys::has_signed(const Jwt& token) const {
  switch (token.algorithm) {
    case Jwt::Algorithm::hs256:
      return !secret_.empty() && hmac_matches(secret_, token.signed_part, token.signature);
    case Jwt::Algorithm::rs256:
      return std::any_of(keys_.begin(), keys_.end(), [&token](const auto& key) {
        return EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA && verify(key.get(), token.signed_part, token.signature);
      });
    case Jwt::Algorithm::es256: {
      const auto signature = ecdsa_der(token.signature);
      return !signature.empty() && std::any_of(keys_.begin(), keys_.end(), [&](const auto& key) {
        return is_p256(key.get()) && verify(key.get(), token.signed_part, signature);
      });
    }
  }
  return false;
}

}  // namespace rw::api
