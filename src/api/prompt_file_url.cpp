#include "api/prompt_file_url.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

#include "auth/signature_v4.h"
#include "base/base64url.h"

namespace rw::api {

std::string PromptUrlSigner::signature(const std::string& domain, const std::string& name,
                                       std::string_view expires) const {
  // None of the three can hold a line break.
  const auto text = "GET\n" + domain + "\n" + name + "\n" + std::string(expires);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  ::HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), digest.data(), &length);
  return base64url({reinterpret_cast<const char*>(digest.data()), length});
}

std::string PromptUrlSigner::sign(const std::string& domain, const std::string& name, std::int64_t now) const {
  const auto expires = std::to_string(now + valid_seconds);
  return "/" + auth::aws_encode(domain) + "/promptfile/" + auth::aws_encode(name) + "?expires=" + expires +
         "&signature=" + signature(domain, name, expires);
}

std::optional<std::string> PromptUrlSigner::check(const std::string& domain, const std::string& name,
                                                  std::string_view expires, std::string_view given,
                                                  std::int64_t now) const {
  const auto expected = signature(domain, name, expires);
  if (given.size() != expected.size() || CRYPTO_memcmp(given.data(), expected.data(), given.size()) != 0)
    return "signature: not one of this server for this file and time";
  std::int64_t until = 0;
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), until);
  if (error != std::errc() || end != expires.data() + expires.size() || now >= until)
    return "expires: the URL has expired";
  return std::nullopt;
}

}  // namespace rw::api
