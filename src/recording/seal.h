#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "recording/format.h"
#include "recording/sound_encoder.h"

namespace rw::recording {

/// The layout of an encrypted recording; docs/recording.md has it octet by octet.
namespace sealed {
inline constexpr std::string_view magic = "RWRECENC";
inline constexpr std::uint8_t version = 1;
inline constexpr std::size_t fixed_header_bytes = 12, length_bytes = 4, tag_bytes = 16, key_bytes = 32,
                             nonce_bytes = 12;
inline constexpr std::uint32_t last_chunk = 0x80000000;
inline constexpr std::size_t longest_chunk = 1024 * 1024;
inline constexpr std::size_t longest_wrapped_key = 1024;

/// What the number of a chunk makes of it.
std::array<std::uint8_t, nonce_bytes> nonce(std::uint64_t chunk);
}  // namespace sealed

using PublicKey = std::shared_ptr<EVP_PKEY>;
/// An RSA public key of at least 2048 bits, in PEM.
Result<PublicKey> read_public_key(const std::string& pem);

/// Encrypts a file as it grows, for whoever has the private key. The file's own key is never anywhere but in memory.
class Seal {
 public:
  /// `format`: of what is inside.
  static Result<std::unique_ptr<Seal>> make(const PublicKey& key, Format format);
  ~Seal();
  Seal(const Seal&) = delete;
  Seal& operator=(const Seal&) = delete;

  /// What the file begins with.
  const Bytes& header() const { return header_; }
  /// Appends `plain` to `out`, encrypted, as one chunk or more. `last`: there is nothing behind it.
  Result<void> add(std::span<const std::uint8_t> plain, bool last, Bytes& out);

 private:
  Seal();
  Result<void> add_chunk(std::span<const std::uint8_t> plain, bool last, Bytes& out);

  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> cipher_;
  std::array<std::uint8_t, sealed::key_bytes> key_{};
  Bytes header_;
  std::uint64_t chunks_ = 0;
};

}  // namespace rw::recording
