#include "recording/decrypt.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "recording/disk_file.h"
#include "recording/repair.h"
#include "recording/seal.h"

namespace rw::recording {
namespace {

using Span = std::span<const std::uint8_t>;
using Key = std::array<std::uint8_t, sealed::key_bytes>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::uint32_t number(Span bytes, std::size_t at, std::size_t octets) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < octets; ++i) value = value << 8 | bytes[at + i];
  return value;
}

/// The header, with the wrapped key; empty if it isn't one.
Span header_of(Span file) {
  if (file.size() < sealed::fixed_header_bytes ||
      std::memcmp(file.data(), sealed::magic.data(), sealed::magic.size()) != 0 || file[8] != sealed::version ||
      file[9] > static_cast<std::uint8_t>(Format::ogg))
    return {};
  const std::size_t wrapped = number(file, 10, 2);
  if (wrapped > sealed::longest_wrapped_key || file.size() - sealed::fixed_header_bytes < wrapped) return {};
  return file.first(sealed::fixed_header_bytes + wrapped);
}

struct Chunk {
  Span length, text, tag;
  bool last = false;
  std::size_t size() const { return length.size() + text.size() + tag.size(); }
};

/// The chunk that `rest` begins with, if it is whole.
std::optional<Chunk> chunk_of(Span rest) {
  if (rest.size() < sealed::length_bytes + sealed::tag_bytes) return std::nullopt;
  const auto length = number(rest, 0, sealed::length_bytes);
  const std::size_t size = length & ~sealed::last_chunk;
  // An empty chunk can only be the last one: a hole that the file system left behind isn't one.
  if (length == 0 || size > sealed::longest_chunk || rest.size() - sealed::length_bytes - sealed::tag_bytes < size)
    return std::nullopt;
  return Chunk{rest.first(sealed::length_bytes), rest.subspan(sealed::length_bytes, size),
               rest.subspan(sealed::length_bytes + size, sealed::tag_bytes), (length & sealed::last_chunk) != 0};
}

int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

Result<Key> unwrap(Span wrapped, const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                       &BIO_free);
  const PrivateKey key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_pass_phrase, nullptr), &EVP_PKEY_free);
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    return fail("not an RSA private key in PEM without a pass phrase");
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                            &EVP_PKEY_CTX_free);
  std::array<std::uint8_t, sealed::longest_wrapped_key> plain{};
  std::size_t size = plain.size();
  if (!context || EVP_PKEY_decrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) <= 0 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) <= 0 ||
      EVP_PKEY_decrypt(context.get(), plain.data(), &size, wrapped.data(), wrapped.size()) <= 0 ||
      size != sealed::key_bytes)
    return fail("the recording was not encrypted for this key");
  Key secret{};
  std::memcpy(secret.data(), plain.data(), secret.size());
  OPENSSL_cleanse(plain.data(), plain.size());
  return secret;
}

/// Appends what is in a chunk; false, and nothing appended, if it is not what was written there.
bool open_chunk(EVP_CIPHER_CTX* cipher, Span header, std::uint64_t index, const Chunk& chunk,
                std::vector<std::uint8_t>& out) {
  const auto nonce = sealed::nonce(index);
  const auto before = out.size();
  std::array<std::uint8_t, sealed::tag_bytes> tag{};
  std::copy(chunk.tag.begin(), chunk.tag.end(), tag.begin());
  out.resize(before + chunk.text.size());
  int written = 0;
  std::array<std::uint8_t, 16> rest{};
  const bool right =
      EVP_DecryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
      EVP_DecryptUpdate(cipher, nullptr, &written, header.data(), static_cast<int>(header.size())) == 1 &&
      EVP_DecryptUpdate(cipher, nullptr, &written, chunk.length.data(), static_cast<int>(chunk.length.size())) == 1 &&
      EVP_DecryptUpdate(cipher, out.data() + before, &written, chunk.text.data(),
                        static_cast<int>(chunk.text.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, sealed::tag_bytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher, rest.data(), &written) == 1;
  if (!right) out.resize(before);
  return right;
}

Result<std::string> whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(path + ": can't be read");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

std::size_t whole_chunks(Span file) {
  std::size_t at = header_of(file).size();
  if (at == 0) return 0;
  while (const auto chunk = chunk_of(file.subspan(at))) {
    at += chunk->size();
    if (chunk->last) break;
  }
  return at;
}

Result<Decrypted> decrypt(Span file, const std::string& private_key) {
  const auto header = header_of(file);
  if (header.empty()) return fail("not an encrypted recording");
  auto secret = unwrap(header.subspan(sealed::fixed_header_bytes), private_key);
  if (!secret) return tl::unexpected(secret.error());
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher(EVP_CIPHER_CTX_new(),
                                                                               &EVP_CIPHER_CTX_free);
  const bool ready =
      cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, secret->data(), nullptr) == 1;
  OPENSSL_cleanse(secret->data(), secret->size());
  if (!ready) return fail("no AES");

  Decrypted result{static_cast<Format>(file[9]), {}, "the recording ends early"};
  std::size_t at = header.size();
  for (std::uint64_t index = 0;; ++index) {
    const auto chunk = chunk_of(file.subspan(at));
    if (!chunk) break;
    if (!open_chunk(cipher.get(), header, index, *chunk, result.bytes)) {
      result.problem = "from octet " + std::to_string(at) + " on the file is not what was recorded";
      break;
    }
    at += chunk->size();
    if (chunk->last) {
      result.problem = at == file.size() ? "" : "something else follows the recording";
      break;
    }
  }
  if (auto repaired = repair_bytes(result.format, result.bytes); !repaired)
    return fail(result.problem.empty() ? repaired.error().message : result.problem);
  return result;
}

Result<std::string> decrypt_file(const std::string& key_file, const std::string& in, const std::string& out) {
  const auto key = whole_file(key_file);
  if (!key) return tl::unexpected(key.error());
  const auto bytes = whole_file(in);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto decrypted = decrypt({reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()}, *key);
  if (!decrypted) return fail(in + ": " + decrypted.error().message);
  auto file = DiskFile::create(out);
  if (!file) return fail(out + ": " + file.error().message);
  if (auto written = (*file)->append(decrypted->bytes); !written) return fail(out + ": " + written.error().message);
  if (auto synced = (*file)->sync(); !synced) return fail(out + ": " + synced.error().message);
  return decrypted->problem.empty() ? std::string() : in + ": " + decrypted->problem;
}

}  // namespace rw::recording
