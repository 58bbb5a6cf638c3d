#include "auth/signed_message.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <functional>
#include <optional>

#include "base/ascii.h"

namespace rw::auth {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::size_t most_signed_headers = 64;

/// The value of a header that may be there once only: nothing if it isn't there, or is there more often.
std::optional<std::string_view> single(const std::vector<NameValue>& headers, std::string_view name) {
  std::optional<std::string_view> found;
  for (const auto& [one, value] : headers) {
    if (!same_letters(one, name)) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// What stands in the Authorization header.
struct Credentials {
  std::string_view credential, signed_headers, signature;
};

Result<Credentials> read_credentials(std::string_view value) {
  if (value.size() > SignedMessage::longest_credentials) return fail("the header is too long");
  if (!value.starts_with(algorithm) || value.size() == algorithm.size() || value[algorithm.size()] != ' ')
    return fail("expected AWS4-HMAC-SHA256");
  Credentials read;
  for (auto part : split(value.substr(algorithm.size() + 1), ',')) {
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    const auto equals = part.find('=');
    const auto name = part.substr(0, equals);
    auto* into = name == "Credential"      ? &read.credential
                 : name == "SignedHeaders" ? &read.signed_headers
                 : name == "Signature"     ? &read.signature
                                           : nullptr;
    if (into == nullptr || equals == std::string_view::npos || !into->empty() || equals + 1 == part.size())
      return fail("expected Credential, SignedHeaders and Signature, each once");
    *into = part.substr(equals + 1);
  }
  if (read.credential.empty() || read.signed_headers.empty() || read.signature.empty())
    return fail("expected Credential, SignedHeaders and Signature, each once");
  return read;
}

/// What a signature has to cover, or else somebody on the way could change what the request means or when it is done.
bool must_be_signed(std::string_view name) {
  return same_letters(name, "host") || begins_with_letters(name, "x-amz-") || same_letters(name, "idempotency-key");
}

/// The request's headers that are signed. SignedHeaders has to name them as AWS's own code writes them.
Result<std::vector<NameValue>> select_headers(const std::vector<NameValue>& headers, std::string_view names) {
  const auto wanted = split(names, ';');
  if (wanted.size() > most_signed_headers || std::ranges::adjacent_find(wanted, std::greater_equal<>()) != wanted.end())
    return fail("SignedHeaders: expected names in lower case, sorted, each once");
  std::vector<NameValue> found;
  for (const auto name : wanted) {
    const auto before = found.size();
    if (std::ranges::any_of(name, [](unsigned char c) { return std::isupper(c) != 0; }))
      return fail("SignedHeaders: expected names in lower case, sorted, each once");
    for (const auto& header : headers) {
      if (same_letters(header.first, name)) found.push_back(header);
    }
    if (found.size() == before) return fail("SignedHeaders: the request does not have all of them");
  }
  for (const auto& header : headers) {
    const auto is_it = [&header](std::string_view name) { return same_letters(name, header.first); };
    if (must_be_signed(header.first) && std::ranges::none_of(wanted, is_it))
      return fail("SignedHeaders: expected Host, Idempotency-Key and all X-Amz- headers of the request among them");
  }
  return found;
}

}  // namespace

Result<std::int64_t> read_amz_date(std::string_view text) {
  static constexpr std::string_view shape = "ddddddddTddddddZ";
  if (text.size() != shape.size()) return fail("expected YYYYMMDD'T'HHMMSS'Z'");
  for (std::size_t at = 0; at < shape.size(); ++at) {
    const bool digit = text[at] >= '0' && text[at] <= '9';
    if (shape[at] == 'd' ? !digit : text[at] != shape[at]) return fail("expected YYYYMMDD'T'HHMMSS'Z'");
  }
  const auto number = [text](std::size_t at, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(at, count)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(6, 2))));
  const int hour = number(9, 2), minute = number(11, 2), second = number(13, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 60) return fail("no such time");
  return std::int64_t{std::chrono::sys_days(day).time_since_epoch().count()} * 86400 + hour * 3600 + minute * 60 +
         second;
}

Result<SignedMessage> SignedMessage::read(const ReceivedRequest& request, std::string_view service, std::int64_t now) {
  const auto header = single(request.headers, "Authorization");
  if (!header) return fail("expected one AWS Signature Version 4");
  const auto credentials = read_credentials(*header);
  if (!credentials) return tl::unexpected(credentials.error());
  const auto date = single(request.headers, "X-Amz-Date");
  if (!date) return fail("X-Amz-Date: expected once");
  const auto time = read_amz_date(*date);
  if (!time) return fail("X-Amz-Date: " + time.error().message);
  if (*time > now + clock_difference || *time < now - clock_difference)
    return fail("X-Amz-Date: more than five minutes from the time here");
  SignedMessage message;
  const auto credential = split(credentials->credential, '/');
  if (credential.size() != 5 || credential[0].empty() || credential[1] != date->substr(0, 8) ||
      credential[3] != service || credential[4] != "aws4_request")
    return fail("Credential: expected <access key>/<day of X-Amz-Date>/<region>/" + std::string(service) +
                "/aws4_request");
  message.access_key_id_ = credential[0];
  message.scope_ = {std::string(credential[2]), std::string(service), *time};
  message.signature_ = credentials->signature;
  const auto is_token = [](const NameValue& one) { return same_letters(one.first, "x-amz-security-token"); };
  if (std::ranges::any_of(request.headers, is_token))
    return fail("X-Amz-Security-Token: temporary credentials are not known here");
  auto headers = select_headers(request.headers, credentials->signed_headers);
  if (!headers) return tl::unexpected(headers.error());
  message.request_ = {std::string(request.method), std::string(request.path), request.query, std::move(*headers),
                      payload_hash(request.body)};
  for (const auto& [name, value] : request.headers) {
    if (same_letters(name, "x-amz-content-sha256") && value != message.request_.payload_hash)
      return fail("X-Amz-Content-Sha256: expected the SHA-256 of the body");
  }
  return message;
}

bool SignedMessage::is_signed_with(const SigningKey& key) const {
  const auto expected = rw::auth::signature(request_, key, scope_);
  return signature_.size() == expected.size() &&
         CRYPTO_memcmp(signature_.data(), expected.data(), expected.size()) == 0;
}

}  // namespace rw::auth
