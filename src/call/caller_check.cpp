#include "call/caller_check.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "net/networks.h"

namespace rw::call {
namespace {

constexpr auto trunk_key = "X-Trunk-Key";
constexpr auto known_for = std::chrono::hours(1);
constexpr std::size_t most_known = 10'000;

/// What may be a guess.
bool shows_credentials(const sip::Message& invite) {
  return invite.header(trunk_key) != nullptr || invite.header("Authorization") != nullptr;
}

/// Whether the source and the key are those of the trunk. What is left to prove is its password, if it has one.
bool fits(const tenant::Trunk& trunk, const std::string* key, const net::Address& source) {
  if (!trunk.takes_calls()) return false;
  if (!trunk.allow.empty() && !net::is_in(trunk.allow, source)) return false;
  return trunk.key.empty() || (key != nullptr && key->size() == trunk.key.size() &&
                               CRYPTO_memcmp(key->data(), trunk.key.data(), key->size()) == 0);
}

bool lets_in(const tenant::Directory::Called& way, const sip::Message& invite, const net::Address& source) {
  return fits(*way.trunk, invite.header(trunk_key), source);
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
    if (known) return {};
    if (!shows_credentials(invite)) return {.status = 403, .silent = silent_};
    const bool barred = failed_.barred(flow.remote, now).has_value();
    if (!barred) failed_.failed(flow.remote, now);
    return {.status = 403, .silent = silent_, .why = barred ? too_many_guesses : std::string_view()};
  }
  return domain && domain->restricts_callers() ? decide(*domain, invite, flow, now) : sip::Admission{.stranger = true};
}

sip::Admission CallerCheck::decide(const tenant::Domain& domain, const sip::Message& invite, const sip::Flow& flow,
                                   TimePoint now) {
  if (!shows_credentials(invite)) return look_at(domain, invite, flow, now);
  const auto who = domain.name + "\n" + flow.remote.site();
  const auto known = let_in_.find(who);
  const bool is_known = known != let_in_.end() && now - known->second < known_for;
  if (!is_known && failed_.barred(flow.remote, now)) return {.status = 403, .silent = silent_, .why = too_many_guesses};
  auto verdict = look_at(domain, invite, flow, now);
  if (verdict.status == 0) let_in(who, now);
  if (verdict.status == 403) failed_.failed(flow.remote, now);
  return verdict;
}

void CallerCheck::let_in(const std::string& who, TimePoint now) {
  if (let_in_.size() >= most_known && !let_in_.contains(who))
    std::erase_if(let_in_, [now](const auto& one) { return now - one.second >= known_for; });
  if (let_in_.size() >= most_known && !let_in_.contains(who)) let_in_.clear();
  let_in_[who] = now;
}

sip::Admission CallerCheck::look_at(const tenant::Domain& domain, const sip::Message& invite, const sip::Flow& flow,
                                    TimePoint now) {
  using Verdict = sip::DigestServer::Verdict;
  const auto* key = invite.header(trunk_key);
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

CallerProof proof_of(const tenant::Trunk* trunk, const sip::Flow& flow) {
  if (trunk == nullptr) return CallerProof::none;
  const bool secret = !trunk->key.empty() || !trunk->inbound_username.empty() || sip::is_stream(flow.transport);
  return secret ? CallerProof::secret : CallerProof::network;
}

const tenant::Trunk* trunk_of(const tenant::Domain& domain, const sip::Message& invite, const net::Address& source) {
  const auto* key = invite.header(trunk_key);
  const auto* proof = invite.header("Authorization");
  const auto found = std::ranges::find_if(domain.trunks, [&](const tenant::Trunk& trunk) {
    const auto named = "username=\"" + trunk.inbound_username + "\"";
    return fits(trunk, key, source) &&
           (trunk.inbound_username.empty() || (proof != nullptr && proof->find(named) != std::string::npos));
  });
  return found == domain.trunks.end() ? nullptr : &*found;
}

}  // namespace rw::call
