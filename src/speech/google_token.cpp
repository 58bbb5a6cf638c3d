#include "speech/google_token.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

#include "auth/signature_v4.h"
#include "base/base64url.h"
#include "base/json_fields.h"

namespace rw::speech {
namespace {

constexpr std::int64_t assertion_life = 3600, margin = 60;  // seconds

std::int64_t system_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};

/// {"error": "invalid_grant", "error_description": "…"}
std::string explain(const std::string& body) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(body, error);
  if (error || !parsed.is_object()) return excerpt(body);
  JsonFields fields(parsed.get_object());
  return excerpt(fields.text("error").value_or("") + " " + fields.text("error_description").value_or(""));
}

}  // namespace

struct GoogleTokens::Key {
  std::unique_ptr<EVP_PKEY, Free> key;
};

GoogleTokens::GoogleTokens() = default;
GoogleTokens::~GoogleTokens() = default;

Result<std::unique_ptr<GoogleTokens>> GoogleTokens::make(const std::string& credentials, Now now) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(credentials, error);
  if (error || !parsed.is_object()) return fail("expected the JSON of a service account's key file");
  JsonFields fields(parsed.get_object());
  std::unique_ptr<GoogleTokens> tokens(new GoogleTokens);
  tokens->now_ = now ? std::move(now) : Now(&system_now);
  tokens->email_ = fields.text("client_email").value_or("");
  tokens->key_id_ = fields.text("private_key_id").value_or("");
  tokens->token_url_ = fields.text("token_uri").value_or("https://oauth2.googleapis.com/token");
  const auto pem = fields.text("private_key").value_or("");
  if (tokens->email_.empty()) return fail("client_email: missing");
  if (!tokens->token_url_.starts_with("https://") && !tokens->token_url_.starts_with("http://"))
    return fail("token_uri: expected an http:// or https:// URL");
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::unique_ptr<EVP_PKEY, Free> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return fail("private_key: expected an RSA key in PEM");
  tokens->key_ = std::make_unique<Key>(Key{std::move(key)});
  return tokens;
}

Result<std::string> GoogleTokens::token(http::Transfers& transfers, const FetchOptions& options) {
  const std::lock_guard lock(mutex_);
  const auto now = now_();
  if (token_.empty() || now >= valid_until_) {
    if (auto fetched = fetch(transfers, options, now); !fetched) return tl::unexpected(fetched.error());
  }
  return token_;
}

void GoogleTokens::forget(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (token_ == token) token_.clear();
}

Result<std::string> GoogleTokens::assertion(std::int64_t now) const {
  boost::json::object header{{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key_id_.empty()) header["kid"] = key_id_;
  const boost::json::object claims{{"iss", email_},
                                   {"scope", "https://www.googleapis.com/auth/cloud-platform"},
                                   {"aud", token_url_},
                                   {"iat", now},
                                   {"exp", now + assertion_life}};
  std::string text = base64url(boost::json::serialize(header)) + "." + base64url(boost::json::serialize(claims));
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::size_t length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &length, bytes, text.size()) != 1)
    return fail("tts.google: the key can't sign");
  std::string signature(length, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, bytes, text.size()) !=
      1)
    return fail("tts.google: the key can't sign");
  signature.resize(length);
  return text + "." + base64url(signature);
}

Result<void> GoogleTokens::fetch(http::Transfers& transfers, const FetchOptions& options, std::int64_t now) {
  const auto signed_claims = assertion(now);
  if (!signed_claims) return tl::unexpected(signed_claims.error());
  http::TransferRequest request;
  request.method = "POST";
  request.url = token_url_;
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = "grant_type=" + auth::aws_encode("urn:ietf:params:oauth:grant-type:jwt-bearer") +
                 "&assertion=" + auth::aws_encode(*signed_claims);
  request.total_timeout = options.timeout;
  request.cancel = options.cancel;
  const auto response = transfers.run(request);
  if (!response) return fail("tts.google: no access token: " + response.error().message);
  if (response->status != 200)
    return fail("tts.google: no access token: " + std::to_string(response->status) + " " + explain(response->body));
  boost::system::error_code error;
  const auto body = boost::json::parse(response->body, error);
  if (error || !body.is_object()) return fail("tts.google: no access token: the answer is no JSON object");
  JsonFields fields(body.get_object());
  token_ = fields.text("access_token").value_or("");
  const bool usable = !token_.empty() && std::ranges::none_of(token_, [](unsigned char c) { return c <= ' '; });
  if (!usable) {
    token_.clear();
    return fail("tts.google: no access token in the answer of " + token_url_);
  }
  const auto life = static_cast<std::int64_t>(fields.number("expires_in", 0, 1e6).value_or(assertion_life));
  valid_until_ = now + std::max<std::int64_t>(life - margin, 0);
  return {};
}

}  // namespace rw::speech
