#include "sip/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/hex.h"
#include "base/trim.h"

namespace rw::sip {
namespace {

constexpr std::size_t max_parameters = 32;

class Parameters {
 public:
  /// What follows "Digest": name=value or name="value", between commas.
  static Result<Parameters> read(std::string_view value) {
    value = trimmed(value);
    if (lower_case(value.substr(0, 6)) != "digest" || value.size() < 7 || (value[6] != ' ' && value[6] != '\t'))
      return fail("a scheme that is not Digest");
    Parameters parameters;
    for (auto rest = trimmed(value.substr(6)); !rest.empty();) {
      const auto equals = rest.find('=');
      if (equals == std::string_view::npos) return fail("a parameter without a value");
      const auto name = trimmed(rest.substr(0, equals));
      rest = trimmed(rest.substr(equals + 1));
      std::size_t end = 0;
      if (!rest.empty() && rest.front() == '"') {
        for (end = 1; end < rest.size() && rest[end] != '"'; ++end) {
          if (rest[end] == '\\') ++end;
        }
        if (end >= rest.size()) return fail("a value without its closing quote");
        parameters.all_.emplace_back(lower_case(name), rest.substr(1, end - 1));
        rest = trimmed(rest.substr(end + 1));
        if (!rest.empty() && rest.front() != ',') return fail("text after a quoted value");
      } else {
        end = std::min(rest.find(','), rest.size());
        parameters.all_.emplace_back(lower_case(name), trimmed(rest.substr(0, end)));
        rest.remove_prefix(end);
      }
      if (!rest.empty()) rest = trimmed(rest.substr(1));
      if (parameters.all_.size() > max_parameters) return fail("too many parameters");
    }
    return parameters;
  }

  const std::string* find(std::string_view name) const {
    const auto found = std::find_if(all_.begin(), all_.end(), [name](const auto& one) { return one.first == name; });
    return found == all_.end() ? nullptr : &found->second;
  }
  std::string value(std::string_view name) const {
    const auto* found = find(name);
    return found == nullptr ? "" : *found;
  }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

Result<DigestAlgorithm> read_algorithm(const Parameters& parameters) {
  const auto name = lower_case(parameters.value("algorithm"));
  if (name.empty() || name == "md5") return DigestAlgorithm::md5;
  if (name == "sha-256") return DigestAlgorithm::sha256;
  return fail("an algorithm that is not MD5 or SHA-256");
}

bool offers_auth(std::string_view qop) {
  while (!qop.empty()) {
    const auto comma = std::min(qop.find(','), qop.size());
    if (lower_case(trimmed(qop.substr(0, comma))) == "auth") return true;
    qop.remove_prefix(std::min(qop.size(), comma + 1));
  }
  return false;
}

std::string hash(DigestAlgorithm algorithm, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size,
             algorithm == DigestAlgorithm::md5 ? EVP_md5() : EVP_sha256(), nullptr);
  return hex(std::span(digest).first(size));
}

std::string eight_hex(std::uint32_t number) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string result(8, '0');
  for (std::size_t at = 8; at-- > 0; number >>= 4) result[at] = digits[number & 15];
  return result;
}

}  // namespace

std::string_view to_string(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::md5 ? "MD5" : "SHA-256";
}

Result<DigestChallenge> DigestChallenge::parse(std::string_view value) {
  const auto parameters = Parameters::read(value);
  if (!parameters) return tl::unexpected(parameters.error());
  if (parameters->find("realm") == nullptr || parameters->find("nonce") == nullptr)
    return fail("a challenge without realm or nonce");
  const auto algorithm = read_algorithm(*parameters);
  if (!algorithm) return tl::unexpected(algorithm.error());
  DigestChallenge challenge;
  challenge.realm = parameters->value("realm");
  challenge.nonce = parameters->value("nonce");
  challenge.opaque = parameters->value("opaque");
  challenge.algorithm = *algorithm;
  challenge.stale = lower_case(parameters->value("stale")) == "true";
  if (const auto* qop = parameters->find("qop")) {
    challenge.qop_auth = offers_auth(*qop);
    if (!challenge.qop_auth) return fail("no qop that is auth");
  }
  return challenge;
}

std::string DigestChallenge::to_string() const {
  std::string text = "Digest realm=\"" + realm + "\", nonce=\"" + nonce + "\"";
  text.append(", algorithm=").append(rw::sip::to_string(algorithm));
  if (!opaque.empty()) text += ", opaque=\"" + opaque + "\"";
  if (stale) text += ", stale=true";
  if (qop_auth) text += ", qop=\"auth\"";
  return text;
}

Result<DigestAnswer> DigestAnswer::parse(std::string_view value) {
  const auto parameters = Parameters::read(value);
  if (!parameters) return tl::unexpected(parameters.error());
  for (const auto* name : {"username", "realm", "nonce", "uri", "response"}) {
    if (parameters->find(name) == nullptr) return fail(std::string("no ") + name);
  }
  const auto algorithm = read_algorithm(*parameters);
  if (!algorithm) return tl::unexpected(algorithm.error());
  DigestAnswer answer;
  answer.username = parameters->value("username");
  answer.realm = parameters->value("realm");
  answer.nonce = parameters->value("nonce");
  answer.uri = parameters->value("uri");
  answer.response = lower_case(parameters->value("response"));
  answer.cnonce = parameters->value("cnonce");
  answer.opaque = parameters->value("opaque");
  answer.algorithm = *algorithm;
  if (const auto* qop = parameters->find("qop")) {
    if (lower_case(*qop) != "auth") return fail("a qop that is not auth");
    answer.qop_auth = true;
    const auto count = parameters->value("nc");
    const auto read = std::from_chars(count.data(), count.data() + count.size(), answer.nonce_count, 16);
    if (count.size() != 8 || read.ec != std::errc{} || read.ptr != count.data() + count.size()) return fail("bad nc");
    if (answer.cnonce.empty()) return fail("no cnonce");
  }
  return answer;
}

std::string DigestAnswer::to_string() const {
  std::string text = "Digest username=\"" + username + "\", realm=\"" + realm + "\", nonce=\"" + nonce + "\", uri=\"" +
                     uri + "\", response=\"" + response + "\"";
  text.append(", algorithm=").append(rw::sip::to_string(algorithm));
  if (qop_auth) text += ", cnonce=\"" + cnonce + "\", qop=auth, nc=" + eight_hex(nonce_count);
  if (!opaque.empty()) text += ", opaque=\"" + opaque + "\"";
  return text;
}

std::string DigestAnswer::expected_response(std::string_view password, std::string_view method) const {
  const auto secret = hash(algorithm, username + ":" + realm + ":" + std::string(password));
  const auto request = hash(algorithm, std::string(method) + ":" + uri);
  const auto middle = qop_auth ? nonce + ":" + eight_hex(nonce_count) + ":" + cnonce + ":auth" : nonce;
  return hash(algorithm, secret + ":" + middle + ":" + request);
}

}  // namespace rw::sip
