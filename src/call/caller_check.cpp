#include "call/caller_check.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "net/networks.h"

namespace rw::call {
namespace {

/// Whether the source and the key are those of the trunk. What is left to prove is its password, if it has one.
bool fits(const tenant::Trunk& trunk, const std::string* key, const net::Address& source) {
  if (!trunk.takes_calls()) return false;
  if (!trunk.allow.empty() && !net::is_in(trunk.allow, source)) return false;
  return trunk.key.empty() || (key != nullptr && key->size() == trunk.key.size() &&
                               CRYPTO_memcmp(key->data(), trunk.key.data(), key->size()) == 0);
}

bool lets_in(const tenant::Directory::Called& way, const sip::Message& invite, const net::Address& source) {
  return fits(*way.trunk, invite.header("X-Trunk-Key"), source);
}

/// The one domain that has a trunk which lets the caller in; null: none has, or several have. `by_key`: only trunks
/// that have a key count.
std::shared_ptr<const tenant::Domain> domain_of_trunk(const tenant::Directory& directory, const sip::Message& invite,
                                                      const net::Address& source, bool by_key) {
  std::shared_ptr<const tenant::Domain> found;
  for (const auto& way : directory.telling_trunks()) {
    if ((by_key && way.trunk->key.empty()) || way.domain == found || !lets_in(way, invite, source)) continue;
    if (found) return nullptr;
    found = way.domain;
  }
  return found;
}

}  // namespace

tenant::Directory::Called called_domain(const tenant::Directory& directory, const sip::Uri& request_uri,
                                        const sip::Message& invite, const net::Address& source) {
  if (request_uri.scheme != "tel") {
    const auto* line = request_uri.parameter("line");
    return directory.called(request_uri.host, line == nullptr ? "" : *line);
  }
  if (const auto* context = request_uri.parameter("phone-context")) {
    if (auto domain = directory.domain_for_host(*context)) return {std::move(domain)};
  }
  auto domain = domain_of_trunk(directory, invite, source, true);
  if (!domain) domain = domain_of_trunk(directory, invite, source, false);
  return {std::move(domain)};
}

sip::Admission CallerCheck::decide(const tenant::Directory& directory, const sip::Message& invite,
                                   const sip::Flow& flow, TimePoint now) {
  const auto called = sip::Uri::parse(invite.request_uri());
  const auto domain = called ? called_domain(directory, *called, invite, flow.remote).domain : nullptr;
  if (!domain && directory.restricts_callers()) {
    // A carrier that several domains have is told that its tel: URI says too little.
    const bool known = called && called->scheme == "tel" &&
                       std::ranges::any_of(directory.telling_trunks(),
                                           [&](const auto& way) { return lets_in(way, invite, flow.remote); });
    return known ? sip::Admission{} : sip::Admission{.status = 403, .silent = silent_};
  }
  return domain && domain->restricts_callers() ? decide(*domain, invite, flow, now) : sip::Admission{};
}

sip::Admission CallerCheck::decide(const tenant::Domain& domain, const sip::Message& invite, const sip::Flow& flow,
                                   TimePoint now) {
  using Verdict = sip::DigestServer::Verdict;
  const auto* key = invite.header("X-Trunk-Key");
  auto best = Verdict::absent;
  bool may_prove = false;
  for (const auto& trunk : domain.trunks) {
    if (!fits(trunk, key, flow.remote)) continue;
    if (trunk.inbound_username.empty()) return {};
    may_prove = true;
    const auto verdict = digest_.check(invite, domain.name, trunk.inbound_username, trunk.inbound_password, now);
    if (verdict == Verdict::granted) return {};
    best = std::max(best, verdict);
  }
  if (may_prove && best != Verdict::wrong) {
    sip::Admission challenge{.status = 401};
    for (auto& value : digest_.challenges(domain.name, best == Verdict::stale, now))
      challenge.headers.emplace_back("WWW-Authenticate", std::move(value));
    return challenge;
  }
  return {.status = 403, .silent = silent_};
}

const tenant::Trunk* trunk_of(const tenant::Domain& domain, const sip::Message& invite, const net::Address& source) {
  const auto* key = invite.header("X-Trunk-Key");
  const auto* proof = invite.header("Authorization");
  const auto found = std::ranges::find_if(domain.trunks, [&](const tenant::Trunk& trunk) {
    const auto named = "username=\"" + trunk.inbound_username + "\"";
    return fits(trunk, key, source) &&
           (trunk.inbound_username.empty() || (proof != nullptr && proof->find(named) != std::string::npos));
  });
  return found == domain.trunks.end() ? nullptr : &*found;
}

}  // namespace rw::call
