#include "api/authorise.h"

#include <set>

#include "api/jwks.h"
#include "base/ascii.h"

namespace rw::api {
namespace {

/// So many signatures are checked for one token: with the keys of the domain, then with those of others, to whom it
/// might belong.
constexpr int most_own_tries = 2 * static_cast<int>(most_jwks_keys);
constexpr int most_other_tries = 64;

tl::unexpected<Refusal> refuse(int status, std::string reason) {
  return tl::unexpected<Refusal>(Refusal{status, std::move(reason)});
}

Result<Jwt> bearer_token(std::optional<std::string_view> credentials) {
  constexpr std::string_view scheme = "Bearer ";
  if (!credentials) return fail("expected a Bearer token");
  if (credentials->size() <= scheme.size() || !begins_with_letters(*credentials, scheme))
    return fail("expected a Bearer token");
  const auto start = credentials->find_first_not_of(' ', scheme.size());
  return start == std::string_view::npos ? fail("expected a Bearer token") : Jwt::parse(credentials->substr(start));
}

}  // namespace

void Authoriser::take_directory() {
  const auto directory = directory_();
  if (directory == known_) return;
  // A domain that did not change is the same object in both; the others' keys are read anew.
  const std::set<std::shared_ptr<const tenant::Domain>> served(directory->domains().begin(),
                                                               directory->domains().end());
  std::erase_if(keys_, [&served](const auto& one) { return !served.contains(one.first); });
  access_keys_.emplace(*directory);
  known_ = directory;
  if (!jwks_) return;
  std::set<std::string> urls;
  for (const auto& domain : directory->domains()) {
    if (!domain->jwks_url.empty()) urls.insert(domain->jwks_url);
  }
  jwks_->keep(urls);
}

const JwtKeys& Authoriser::keys_of(const std::shared_ptr<const tenant::Domain>& domain) {
  auto found = keys_.find(domain);
  if (found == keys_.end()) found = keys_.try_emplace(domain, domain->jwt_public_keys, domain->jwt_secret).first;
  return found->second;
}

bool Authoriser::has_signed(const std::shared_ptr<const tenant::Domain>& domain, const Jwt& token, int& most_tries) {
  if (keys_of(domain).has_signed(token, most_tries)) return true;
  if (domain->jwks_url.empty() || !jwks_ || token.algorithm == Jwt::Algorithm::hs256) return false;
  const auto keys = jwks_->at_hand(domain->jwks_url, Clock::now());
  return keys && keys->has_signed(token, most_tries);
}

bool Authoriser::wait_for_keys(std::string_view name, std::optional<std::string_view> credentials, SystemTime now,
                               std::function<void()> then) {
  take_directory();
  const auto domain = known_->domain(name);
  if (!jwks_ || !domain || domain->open || domain->jwks_url.empty()) return false;
  const auto token = bearer_token(credentials);
  if (!token || !token->check_time(now) || token->algorithm == Jwt::Algorithm::hs256) return false;
  const auto& url = domain->jwks_url;
  const auto found = jwks_->find(url, Clock::now());
  int tries = most_own_tries;
  if (keys_of(domain).has_signed(*token, tries)) return false;
  if (found.worth_waiting) return jwks_->wait(url, std::move(then));
  const bool is_known =
      found.keys && (token->kid && found.keys->knows(*token->kid) ? true : found.keys->has_signed(*token, tries));
  if (is_known || !jwks_->renew(url, Clock::now())) return false;
  return jwks_->wait(url, std::move(then));
}

tl::expected<std::shared_ptr<const tenant::Domain>, Refusal> Authoriser::authorise(
    std::string_view name, std::optional<std::string_view> credentials, SystemTime now) {
  take_directory();
  const auto directory = known_;
  auto domain = directory->domain(name);
  if (domain && domain->open) return domain;
  if (!domain && directory->all_open()) return refuse(404, "domain: there is no such domain");

  const auto token = bearer_token(credentials);
  if (!token) return refuse(401, "Authorization: " + token.error().message);
  if (const auto time = token->check_time(now); !time) return refuse(401, "Authorization: " + time.error().message);
  int tries = most_own_tries;
  if (domain && has_signed(domain, *token, tries)) {
    if (token->is_for(domain->name)) return domain;
    return refuse(403, "Authorization: the token is for another domain");
  }
  tries = most_other_tries;
  for (const auto& other : directory->domains()) {
    if (other->open || other == domain) continue;
    if (tries <= 0) break;
    if (has_signed(other, *token, tries)) return refuse(403, "Authorization: the token is for another domain");
  }
  return refuse(401, "Authorization: the token's signature is not valid");
}

tl::expected<std::shared_ptr<const tenant::Domain>, Refusal> Authoriser::authorise_signed(
    std::string_view name, const http::IncomingRequest& request, SystemTime now) {
  take_directory();
  auto domain = known_->domain(name);
  if (domain && domain->open) return domain;
  if (!domain && known_->all_open()) return refuse(404, "domain: there is no such domain");
  const auto message =
      auth::SignedMessage::read({request.method, request.path, request.query, request.headers, request.body},
                                AccessKeys::service, std::chrono::system_clock::to_time_t(now));
  if (!message) return refuse(401, "Authorization: " + message.error().message);
  const auto signer = access_keys_->signer_of(*message, domain);
  if (!signer) return refuse(401, "Authorization: the signature is not valid");
  if (signer != domain) return refuse(403, "Authorization: the access key is for another domain");
  return domain;
}

}  // namespace rw::api
