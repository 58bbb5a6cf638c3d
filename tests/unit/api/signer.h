#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/base64url.h"

namespace rw::api::test {

/// A customer's key pair, and the tokens signed with it.
class Signer {
 public:
  static Signer rsa(unsigned bits = 2048) { return Signer(EVP_RSA_gen(bits)); }
  static Signer p256() { return Signer(EVP_EC_gen("P-256")); }

  std::string public_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PUBKEY(out.get(), key_.get());
    char* text = nullptr;
    const auto length = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(length)};
  }

  /// As a JSON Web Key, with more members ("name":value,) before its own.
  std::string jwk(const std::string& more = {}) const {
    return "{" + more +
           (is_rsa() ? R"("kty":"RSA","n":")" + part("n") + R"(","e":")" + part("e")
                     : R"("kty":"EC","crv":"P-256","x":")" + part("qx", 32) + R"(","y":")" + part("qy", 32)) +
           "\"}";
  }

  /// `header`: more members of it.
  std::string token(std::string_view claims, const std::string& header = {}) const {
    const std::string algorithm = is_rsa() ? "RS256" : "ES256";
    const auto text = base64url("{" + header + R"("alg":")" + algorithm + "\"}") + "." + base64url(claims);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    std::size_t length = 0;
    EVP_DigestSign(context.get(), nullptr, &length, bytes, text.size());
    std::string signature(length, '\0');
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, bytes, text.size());
    signature.resize(length);
    return text + "." + base64url(is_rsa() ? signature : raw(signature));
  }

 private:
  explicit Signer(EVP_PKEY* key) : key_(key, &EVP_PKEY_free) {}

  bool is_rsa() const { return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA; }

  std::string part(const char* name, int width = 0) const {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &number);
    std::string bytes(static_cast<std::size_t>(width == 0 ? BN_num_bytes(number) : width), '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(number);
    return base64url(bytes);
  }

  /// r and s as JOSE has them.
  static std::string raw(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free);
    std::string both(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), reinterpret_cast<unsigned char*>(both.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), reinterpret_cast<unsigned char*>(both.data()) + 32, 32);
    return both;
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

/// A token with any header, signed with HMAC-SHA-256.
inline std::string hmac_token(std::string_view header, std::string_view claims, std::string_view secret) {
  const auto text = base64url(header) + "." + base64url(claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  return text + "." + base64url({reinterpret_cast<const char*>(digest.data()), length});
}

}  // namespace rw::api::test
