#include "speech/speech_entry.h"

#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <memory>

namespace rw::speech {
namespace {

constexpr std::string_view magic = "RWSPEECH";
constexpr std::size_t version_at = 8, rate_at = 12, count_at = 16, expiry_at = 24, checksum_at = 32, checksum_size = 32;

void put(std::string& bytes, std::uint64_t value, int octets) {
  for (int at = 0; at < octets; ++at) bytes += static_cast<char>(value >> (8 * at));
}

std::uint64_t get(std::string_view bytes, std::size_t at, std::size_t octets) {
  std::uint64_t value = 0;
  for (std::size_t octet = octets; octet-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + octet]);
  return value;
}

std::string checksum(std::string_view key, std::string_view facts, std::string_view samples) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const auto part : {key, facts, samples}) EVP_DigestUpdate(context.get(), part.data(), part.size());
  std::string sum(checksum_size, '\0');
  EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(sum.data()), nullptr);
  return sum;
}

}  // namespace

std::string pack(const SpeechEntry& entry, std::string_view key) {
  std::string samples;
  samples.reserve(entry.audio.samples.size() * 2);
  for (const std::int16_t sample : entry.audio.samples) put(samples, static_cast<std::uint16_t>(sample), 2);
  std::string bytes(magic);
  bytes.reserve(SpeechEntry::header_size + samples.size());
  put(bytes, SpeechEntry::version, 4);
  put(bytes, entry.audio.rate, 4);
  put(bytes, entry.audio.samples.size(), 8);
  put(bytes, static_cast<std::uint64_t>(entry.expires), 8);
  bytes += checksum(key, std::string_view(bytes).substr(version_at), samples);
  return bytes + samples;
}

Result<SpeechEntry> unpack(std::string_view bytes, std::string_view key) {
  if (auto valid = expiry_of(bytes); !valid) return tl::unexpected(valid.error());
  const auto samples = bytes.substr(SpeechEntry::header_size);
  const auto count = get(bytes, count_at, 8);
  if (samples.size() % 2 != 0 || samples.size() / 2 != count) return fail("its length is wrong");
  if (checksum(key, bytes.substr(version_at, checksum_at - version_at), samples) !=
      bytes.substr(checksum_at, checksum_size))
    return fail("its checksum is wrong");
  SpeechEntry entry;
  entry.audio.rate = static_cast<std::uint32_t>(get(bytes, rate_at, 4));
  entry.expires = static_cast<std::int64_t>(get(bytes, expiry_at, 8));
  if (count == 0 || entry.audio.rate < audio::min_rate || entry.audio.rate > audio::max_rate)
    return fail("it has no audio");
  entry.audio.samples.resize(count);
  for (std::size_t at = 0; at < count; ++at)
    entry.audio.samples[at] = static_cast<std::int16_t>(get(samples, at * 2, 2));
  return entry;
}

Result<std::int64_t> expiry_of(std::string_view header) {
  if (header.size() < SpeechEntry::header_size || !header.starts_with(magic)) return fail("it is no speech entry");
  if (get(header, version_at, 4) != SpeechEntry::version) return fail("it is of another version");
  return static_cast<std::int64_t>(get(header, expiry_at, 8));
}

}  // namespace rw::speech
