#include "api/jwt_keys.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <utility>

namespace rw::api {
namespace {

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
  std::array<char, 32> group{};
  std::size_t length = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
         std::string_view(group.data(), length) == "prime256v1";
}

bool is_rsa(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= JwtKey::least_rsa_bits &&
         EVP_PKEY_get_bits(key) <= JwtKey::most_rsa_bits;
}

/// Whether a key is of the kind that the algorithm is for.
bool fits(const EVP_PKEY* key, Jwt::Algorithm algorithm) {
  return algorithm == Jwt::Algorithm::rs256 ? is_rsa(key) : algorithm == Jwt::Algorithm::es256 && is_p256(key);
}

}  // namespace

Result<JwtKey> JwtKey::make(std::string kid, std::shared_ptr<EVP_PKEY> key) {
  if (!key || (!is_rsa(key.get()) && !is_p256(key.get())))
    return fail("not an RSA key of 2048 to 8192 bits or an EC key on P-256");
  return JwtKey{std::move(kid), std::move(key)};
}

Result<JwtKey> JwtKey::from_pem(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                       &BIO_free);
  if (!text) return fail("can't be read");
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PUBKEY(text.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!key) return fail("not a public key in PEM (-----BEGIN PUBLIC KEY-----)");
  return make({}, std::move(key));
}

JwtKeys::JwtKeys(const std::vector<std::string>& public_keys, std::string secret) : secret_(std::move(secret)) {
  for (const auto& pem : public_keys) {
    if (auto key = JwtKey::from_pem(pem)) keys_.push_back(std::move(*key));
  }
}

bool JwtKeys::knows(std::string_view kid) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [kid](const JwtKey& key) { return !key.kid.empty() && key.kid == kid; });
}

bool JwtKeys::has_signed(const Jwt& token, int& most_tries) const {
  if (token.algorithm == Jwt::Algorithm::hs256)
    return !secret_.empty() && hmac_matches(secret_, token.signed_part, token.signature);
  const auto signature = token.algorithm == Jwt::Algorithm::es256 ? ecdsa_der(token.signature) : token.signature;
  if (signature.empty()) return false;
  // A token that names a key is checked with that one, and with those that have no name.
  return std::any_of(keys_.begin(), keys_.end(), [&](const JwtKey& one) {
    if (token.kid && !one.kid.empty() && one.kid != *token.kid) return false;
    if (!fits(one.key.get(), token.algorithm) || most_tries-- <= 0) return false;
    return verify(one.key.get(), token.signed_part, signature);
  });
}

}  // namespace rw::api
