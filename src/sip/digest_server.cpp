#include "sip/digest_server.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/hex.h"
#include "sip/uri.h"

namespace rw::sip {
namespace {

constexpr std::size_t most_headers = 4;
constexpr std::size_t number_digits = 16;  ///< of each half of a nonce's key
constexpr std::size_t seal_bytes = 16;

std::uint64_t milliseconds_of(TimePoint time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

std::string as_hex(std::uint64_t number) {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t at = bytes.size(); at-- > 0; number >>= 8) bytes[at] = static_cast<unsigned char>(number & 0xff);
  return hex(bytes);
}

std::optional<std::uint64_t> from_hex(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// Whether credentials were made for this request: its own URI, perhaps written in another way.
bool is_for(const std::string& digest_uri, const std::string& request_uri) {
  if (digest_uri == request_uri) return true;
  const auto a = Uri::parse(digest_uri), b = Uri::parse(request_uri);
  return a && b && a->scheme == b->scheme && a->user == b->user && a->host == b->host;
}

}  // namespace

DigestServer::DigestServer(std::size_t most, std::vector<DigestAlgorithm> algorithms)
    : most_(most), algorithms_(std::move(algorithms)), secret_(ids_.token(64)) {}

std::string DigestServer::nonce(std::string_view realm, const Key& key) const {
  const auto text = as_hex(key.first) + as_hex(key.second);
  const auto sealed = text + std::string(realm);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  ::HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
         reinterpret_cast<const unsigned char*>(sealed.data()), sealed.size(), digest.data(), &length);
  return text + hex(std::span(digest).first(seal_bytes));
}

std::vector<std::string> DigestServer::challenges(const std::string& realm, bool stale, TimePoint now) {
  DigestChallenge challenge;
  challenge.realm = realm;
  challenge.nonce = nonce(realm, {milliseconds_of(now), ids_.number()});
  challenge.stale = stale;
  challenge.qop_auth = true;
  std::vector<std::string> values;
  for (const auto algorithm : algorithms_) {
    challenge.algorithm = algorithm;
    values.push_back(challenge.to_string());
  }
  return values;
}

DigestServer::Verdict DigestServer::check(const Message& request, std::string_view realm, std::string_view username,
                                          std::string_view password, TimePoint now) {
  auto verdict = Verdict::absent;
  std::size_t looked_at = 0;
  for (const auto line : request.headers("Authorization")) {
    if (++looked_at > most_headers) break;
    const auto answer = DigestAnswer::parse(line);
    if (!answer || answer->realm != realm) continue;
    verdict = Verdict::wrong;
    if (std::ranges::find(algorithms_, answer->algorithm) == algorithms_.end()) continue;
    if (!answer->qop_auth || answer->username != username || !is_for(answer->uri, request.request_uri())) continue;
    if (!same_text(answer->response, answer->expected_response(password, request.method()))) continue;
    return take(*answer, now) ? Verdict::granted : Verdict::stale;
  }
  return verdict;
}

bool DigestServer::take(const DigestAnswer& answer, TimePoint now) {
  const std::string_view text = answer.nonce;
  if (text.size() != 2 * number_digits + 2 * seal_bytes) return false;
  const auto made = from_hex(text.substr(0, number_digits)),
             number = from_hex(text.substr(number_digits, number_digits));
  if (!made || !number) return false;
  const Key key{*made, *number};
  if (!same_text(text, nonce(answer.realm, key))) return false;
  const auto lifetime = std::chrono::duration_cast<std::chrono::milliseconds>(nonce_lifetime).count();
  const auto time = milliseconds_of(now);
  if (*made > time || time - *made > static_cast<std::uint64_t>(lifetime) || key <= forgotten_) return false;
  auto& last = used_[key];
  if (answer.nonce_count <= last) return false;
  last = answer.nonce_count;
  // They lie in the order of their age.
  while (!used_.empty() &&
         (used_.size() > most_ || time - used_.begin()->first.first > static_cast<std::uint64_t>(lifetime))) {
    forgotten_ = std::max(forgotten_, used_.begin()->first);
    used_.erase(used_.begin());
  }
  return true;
}

}  // namespace rw::sip
