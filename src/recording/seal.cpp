#include "recording/seal.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>

namespace rw::recording {
namespace {

void append_number(Bytes& out, std::uint32_t value, int octets) {
  for (int at = octets - 1; at >= 0; --at) out.push_back(static_cast<std::uint8_t>(value >> (8 * at)));
}

Result<Bytes> wrap(EVP_PKEY* key, std::span<const std::uint8_t> secret) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key, nullptr),
                                                                            &EVP_PKEY_CTX_free);
  Bytes wrapped(sealed::longest_wrapped_key);
  std::size_t size = wrapped.size();
  if (!context || EVP_PKEY_encrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) <= 0 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) <= 0 ||
      EVP_PKEY_encrypt(context.get(), wrapped.data(), &size, secret.data(), secret.size()) <= 0)
    return fail("the recording can't be encrypted with this public key");
  wrapped.resize(size);
  return wrapped;
}

}  // namespace

std::array<std::uint8_t, sealed::nonce_bytes> sealed::nonce(std::uint64_t chunk) {
  std::array<std::uint8_t, nonce_bytes> nonce{};
  for (std::size_t at = 0; at < 8; ++at) nonce[nonce_bytes - 1 - at] = static_cast<std::uint8_t>(chunk >> (8 * at));
  return nonce;
}

Result<PublicKey> read_public_key(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                       &BIO_free);
  PublicKey key(PEM_read_bio_PUBKEY(text.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!key) return fail("not a public key in PEM");
  const int bits = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA ? EVP_PKEY_get_bits(key.get()) : 0;
  if (bits < 2048 || bits > static_cast<int>(8 * sealed::longest_wrapped_key))
    return fail("not an RSA key of 2048 to 8192 bits");
  return key;
}

Seal::Seal() : cipher_(EVP_CIPHER_CTX_new()) {}

Seal::~Seal() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

Result<std::unique_ptr<Seal>> Seal::make(const PublicKey& key, Format format) {
  std::unique_ptr<Seal> seal(new Seal);  // NOLINT: private constructor
  if (!seal->cipher_ || RAND_bytes(seal->key_.data(), static_cast<int>(seal->key_.size())) != 1 ||
      EVP_EncryptInit_ex(seal->cipher_.get(), EVP_aes_256_gcm(), nullptr, seal->key_.data(), nullptr) != 1)
    return fail("the recording can't be encrypted");
  const auto wrapped = wrap(key.get(), seal->key_);
  if (!wrapped) return tl::unexpected(wrapped.error());
  auto& header = seal->header_;
  header.assign(sealed::magic.begin(), sealed::magic.end());
  header.push_back(sealed::version);
  header.push_back(static_cast<std::uint8_t>(format));
  append_number(header, static_cast<std::uint32_t>(wrapped->size()), 2);
  header.insert(header.end(), wrapped->begin(), wrapped->end());
  return seal;
}

Result<void> Seal::add(std::span<const std::uint8_t> plain, bool last, Bytes& out) {
  while (plain.size() > sealed::longest_chunk) {
    if (auto added = add_chunk(plain.first(sealed::longest_chunk), false, out); !added) return added;
    plain = plain.subspan(sealed::longest_chunk);
  }
  if (plain.empty() && !last) return {};
  return add_chunk(plain, last, out);
}

Result<void> Seal::add_chunk(std::span<const std::uint8_t> plain, bool last, Bytes& out) {
  const auto length_at = out.size();
  append_number(out, static_cast<std::uint32_t>(plain.size()) | (last ? sealed::last_chunk : 0), sealed::length_bytes);
  const auto text_at = out.size();
  out.resize(text_at + plain.size() + sealed::tag_bytes);
  auto* const cipher = cipher_.get();
  const auto nonce = sealed::nonce(chunks_++);
  int written = 0;
  if (EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) != 1 ||
      EVP_EncryptUpdate(cipher, nullptr, &written, header_.data(), static_cast<int>(header_.size())) != 1 ||
      EVP_EncryptUpdate(cipher, nullptr, &written, out.data() + length_at, sealed::length_bytes) != 1 ||
      EVP_EncryptUpdate(cipher, out.data() + text_at, &written, plain.data(), static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(cipher, out.data() + text_at + plain.size(), &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, sealed::tag_bytes, out.data() + text_at + plain.size()) != 1)
    return fail("the recording can't be encrypted");
  return {};
}

}  // namespace rw::recording
