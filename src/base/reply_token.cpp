#include "base/reply_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "base/base64url.h"
#include "base/json_fields.h"

namespace rw {
namespace {

constexpr std::size_t longest_token = 2048;
constexpr std::string_view header = R"({"alg":"HS256","typ":"JWT"})";

std::string signature(const std::string& secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes, text.size(), digest.data(), &length) ==
      nullptr) {
    throw std::runtime_error("HMAC-SHA-256 is not available");
  }
  return base64url({reinterpret_cast<const char*>(digest.data()), length});
}

/// The claims' names are short: a replyId goes into every callback.
template <class Subject, class Visit>
void for_each_claim(Subject& subject, const Visit& visit) {
  visit("dom", subject.domain);
  visit("node", subject.node);
  visit("ses", subject.session);
  visit("par", subject.participant);
  visit("con", subject.connection);
  visit("cmd", subject.command);
}

}  // namespace

std::string ReplyTokens::issue(const ReplySubject& subject) const {
  boost::json::object claims;
  for_each_claim(subject, [&claims](std::string_view name, const std::string& value) {
    if (!value.empty()) claims[name] = value;
  });
  auto token = base64url(header) + "." + base64url(boost::json::serialize(claims));
  return token + "." + signature(secret_, token);
}

Result<ReplySubject> ReplyTokens::verify(std::string_view token) const {
  if (token.size() > longest_token) return fail("replyId: too long");
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return fail("replyId: not one of ours");
  const auto expected = signature(secret_, token.substr(0, last));
  const auto given = token.substr(last + 1);
  // The header is not read: we sign with one algorithm, and nothing in a token can choose another.
  if (given.size() != expected.size() || CRYPTO_memcmp(given.data(), expected.data(), given.size()) != 0)
    return fail("replyId: not one of ours");
  const auto text = from_base64url(token.substr(first + 1, last - first - 1));
  boost::system::error_code error;
  const auto claims = boost::json::parse(text.value_or(""), error);
  if (error || !claims.is_object()) return fail("replyId: not one of ours");
  JsonFields fields(claims.get_object());
  ReplySubject subject;
  for_each_claim(subject,
                 [&fields](std::string_view name, std::string& value) { value = fields.text(name).value_or(""); });
  return subject;
}

std::string ReplyTokens::derive_key(std::string_view purpose) const {
  // No token begins like this: what is signed there begins with the base64url of `header`.
  return signature(secret_, "key for " + std::string(purpose));
}

}  // namespace rw
