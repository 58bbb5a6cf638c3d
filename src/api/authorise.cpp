#include "api/authorise.h"

#include <boost/beast/core/string.hpp>

namespace rw::api {
namespace {

/// So many domains are looked through for one that a token might belong to.
constexpr int most_tried = 64;

tl::unexpected<Refusal> refuse(int status, std::string reason) {
  return tl::unexpected<Refusal>(Refusal{status, std::move(reason)});
}

Result<Jwt> bearer_token(std::optional<std::string_view> credentials) {
  constexpr std::string_view scheme = "Bearer ";
  if (!credentials) return fail("expected a Bearer token");
  if (credentials->size() <= scheme.size() || !boost::beast::iequals(credentials->substr(0, scheme.size()), scheme))
    return fail("expected a Bearer token");
  const auto start = credentials->find_first_not_of(' ', scheme.size());
  return start == std::string_view::npos ? fail("expected a Bearer token") : Jwt::parse(credentials->substr(start));
}

}  // namespace

const JwtKeys& Authoriser::keys_of(const std::shared_ptr<const tenant::Domain>& domain) {
  auto found = keys_.find(domain.get());
  if (found == keys_.end()) found = keys_.try_emplace(domain.get(), domain->jwt_public_keys, domain->jwt_secret).first;
  return found->second;
}

tl::expected<std::shared_ptr<const tenant::Domain>, Refusal> Authoriser::authorise(
    std::string_view name, std::optional<std::string_view> credentials, std::chrono::system_clock::time_point now) {
  const auto directory = directory_();
  if (directory != known_) {
    keys_.clear();
    known_ = directory;
  }
  auto domain = directory->domain(name);
  if (domain && domain->open) return domain;
  if (!domain && directory->all_open()) return refuse(404, "domain: there is no such domain");

  const auto token = bearer_token(credentials);
  if (!token) return refuse(401, "Authorization: " + token.error().message);
  if (const auto time = token->check_time(now); !time) return refuse(401, "Authorization: " + time.error().message);
  if (domain && keys_of(domain).has_signed(*token)) {
    if (token->is_for(domain->name)) return domain;
    return refuse(403, "Authorization: the token is for another domain");
  }
  int tried = 0;
  for (const auto& other : directory->domains()) {
    if (other->open || other == domain) continue;
    if (++tried > most_tried) break;
    if (keys_of(other).has_signed(*token)) return refuse(403, "Authorization: the token is for another domain");
  }
  return refuse(401, "Authorization: the token's signature is not valid");
}

}  // namespace rw::api
