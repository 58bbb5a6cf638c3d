#include "sip/authorisation.h"

#include <algorithm>

namespace rw::sip {
namespace {

/// Bound on the realms that are remembered.
constexpr std::size_t max_askers = 16;

/// A quoted-string's inside (RFC 3261 25.1).
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

bool DigestClient::challenged(const Message& response, Tries& tries) {
  const bool proxy = response.status() == 407;
  std::map<std::string, DigestChallenge> best;  // by realm: who offers both algorithms gets the stronger (RFC 8760 2.4)
  for (const auto line : response.headers(proxy ? "Proxy-Authenticate" : "WWW-Authenticate")) {
    auto challenge = DigestChallenge::parse(line);
    if (!challenge) continue;
    const auto known = best.find(challenge->realm);
    if (known != best.end() && known->second.algorithm >= challenge->algorithm) continue;
    best.insert_or_assign(challenge->realm, std::move(*challenge));
  }
  bool worth_it = false;
  for (auto& [realm, challenge] : best) {
    const auto own = std::find_if(credentials_.begin(), credentials_.end(), [&realm = realm](const Credentials& one) {
      return one.realm.empty() || escaped(one.realm) == realm;
    });
    if (own == credentials_.end()) continue;
    const auto key = (proxy ? "proxy\n" : "server\n") + realm;
    auto& tried = tries[key];
    if (tried > 1 || (tried == 1 && !challenge.stale)) return false;  // it did not like our answer
    ++tried;
    if (!askers_.contains(key) && askers_.size() == max_askers) return false;
    askers_.insert_or_assign(
        key, Asker{proxy, std::move(challenge), static_cast<std::size_t>(own - credentials_.begin()), 0});
    worth_it = true;
  }
  return worth_it;
}

void DigestClient::authorise(Message& request, IdSource& ids) {
  request.remove("Authorization");
  request.remove("Proxy-Authorization");
  for (auto& [key, asker] : askers_) {
    const auto& own = credentials_[asker.credentials];
    DigestAnswer answer;
    answer.username = escaped(own.username);
    answer.realm = asker.challenge.realm;
    answer.nonce = asker.challenge.nonce;
    answer.opaque = asker.challenge.opaque;
    answer.uri = request.request_uri();
    answer.algorithm = asker.challenge.algorithm;
    answer.qop_auth = asker.challenge.qop_auth;
    answer.nonce_count = ++asker.nonce_count;
    answer.cnonce = ids.token(16);
    answer.response = answer.expected_response(own.password, request.method());
    request.add(asker.proxy ? "Proxy-Authorization" : "Authorization", answer.to_string());
  }
}

}  // namespace rw::sip
