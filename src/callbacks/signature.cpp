#include "callbacks/signature.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <span>
#include <utility>

#include "base/base64url.h"
#include "base/hex.h"

namespace rw::callbacks {

class Signer::Key {
 public:
  explicit Key(EVP_PKEY* key) : key_(key) {}
  ~Key() { EVP_PKEY_free(key_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  EVP_PKEY* get() const { return key_; }

 private:
  EVP_PKEY* key_;
};

namespace {

bool is_p256(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == 256;
}

/// The two integers of a DER signature in the form of RFC 7518 section 3.4; empty if it is none.
std::string joined_integers(std::span<const unsigned char> der) {
  constexpr int length = 32;
  const unsigned char* at = der.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free);
  std::array<unsigned char, 2 * length> both{};
  if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), both.data(), length) != length ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), both.data() + length, length) != length) {
    return {};
  }
  return {reinterpret_cast<const char*>(both.data()), both.size()};
}

}  // namespace

Signer::Signer(std::unique_ptr<Key> key) : key_(std::move(key)) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Result<Signer> Signer::from_pem(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                        &BIO_free);
  auto* raw = PEM_read_bio_PrivateKey(input.get(), nullptr, nullptr, nullptr);
  if (raw == nullptr) return fail("signing key: not a private key in PEM form");
  auto key = std::make_unique<Key>(raw);
  if (EVP_PKEY_get_base_id(raw) != EVP_PKEY_RSA && !is_p256(raw))
    return fail("signing key: neither an RSA key nor one on the curve P-256");
  return Signer(std::move(key));
}

std::string Signer::token(std::string_view issuer, std::string_view body, std::string_view jti,
                          std::chrono::system_clock::time_point now) const {
  const auto issued = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const boost::json::object claims{
      {"iss", issuer}, {"iat", issued}, {"exp", issued + 60}, {"jti", jti}, {"body_sha256", sha256_hex(body)}};
  const bool elliptic = is_p256(key_->get());
  const auto text = base64url(elliptic ? R"({"alg":"ES256","typ":"JWT"})" : R"({"alg":"RS256","typ":"JWT"})") + "." +
                    base64url(boost::json::serialize(claims));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, 1024> signature{};
  std::size_t length = signature.size();
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_->get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, bytes, text.size()) != 1) {
    return {};
  }
  const auto made = elliptic ? joined_integers(std::span(signature).first(length))
                             : std::string(reinterpret_cast<const char*>(signature.data()), length);
  return made.empty() ? std::string() : text + "." + base64url(made);
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return hex(std::span(digest).first(length));
}

}  // namespace rw::callbacks
