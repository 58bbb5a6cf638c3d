#include "api/provisioning.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "api/answers.h"
#include "api/json_body.h"
#include "base/ascii.h"
#include "base/hex.h"

namespace rw::api {
namespace {

using Verb = ProvisioningRequest::Verb;

constexpr std::string_view merge_patch = "application/merge-patch+json";

struct Named {
  ProvisionedKind kind;
  std::string_view path;
};
constexpr std::array<Named, 3> in_domain{{{ProvisionedKind::trunk, "trunk"},
                                          {ProvisionedKind::device, "device"},
                                          {ProvisionedKind::mediaservice, "mediaservice"}}};

std::array<unsigned char, SHA256_DIGEST_LENGTH> digest(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  return hash;
}

/// How the audit trail names whoever has the token: it stays the same until the token is changed, and does not tell it.
std::string name_of(std::string_view token) {
  const auto hash = digest(std::string(token) + "/audit");
  return "token-" + hex(std::span(hash).first(4));
}

/// Nothing if the request shows the token.
std::optional<http::Answer> refusal(const http::IncomingRequest& request, std::string_view token) {
  constexpr std::string_view scheme = "Bearer ";
  const auto credentials = request.header("Authorization").value_or("");
  if (credentials.size() <= scheme.size() || !begins_with_letters(credentials, scheme))
    return failure(401, "Authorization: expected the operator's token as Bearer token");
  // Digests of the same length: how long the comparison takes tells nothing.
  if (CRYPTO_memcmp(digest(credentials.substr(scheme.size())).data(), digest(token).data(), SHA256_DIGEST_LENGTH) != 0)
    return failure(401, "Authorization: this is not the operator's token");
  return std::nullopt;
}

http::Answer to_answer(ProvisioningAnswer answer) {
  if (answer.status == 200) {
    auto done = success(std::move(answer.members));
    if (!answer.tag.empty()) done.headers.emplace_back("ETag", answer.tag);
    return done;
  }
  return answer.error.empty() ? failure(answer.status, answer.reason)
                              : failure(answer.status, answer.error, answer.reason);
}

/// The tags of If-Match; weak ones never match (RFC 9110 section 8.8.3.2), and neither does what is no list of tags.
std::vector<std::string> tags_of(std::string_view list) {
  std::vector<std::string> tags;
  while (!list.empty()) {
    const auto start = list.find_first_not_of(" \t,");
    if (start == std::string_view::npos) break;
    list.remove_prefix(start);
    const auto end = list.front() == '"' ? list.find('"', 1) : list.find_first_of(" \t,");
    tags.emplace_back(list.substr(0, list.front() == '"' && end != std::string_view::npos ? end + 1 : end));
    list.remove_prefix(std::min(list.size(), tags.back().size()));
  }
  return tags;
}

/// Nothing if the body of a PATCH is of a type that is understood: a merge patch, which may call itself JSON.
std::optional<http::Answer> wrong_patch_type(const http::IncomingRequest& request) {
  auto type = request.header("Content-Type").value_or("application/json");
  type = type.substr(0, type.find_first_of("; \t"));
  if (same_letters(type, "application/json") || same_letters(type, merge_patch)) return std::nullopt;
  auto answer = failure(415, "Content-Type: expected application/merge-patch+json (RFC 7396)");
  answer.headers.emplace_back("Accept-Patch", merge_patch);
  return answer;
}

std::string captured(const http::IncomingRequest& request, std::string_view name) {
  const auto found = request.captures.find(name);
  return found == request.captures.end() ? "" : found->second;
}

void serve(Routes& routes, Verb verb, ProvisionedKind kind, const http::IncomingRequest& request,
           http::Responder respond) {
  if (auto refused = routes.barred(request)) return respond(std::move(*refused));
  if (auto refused = refusal(request, routes.deps.provisioning_token)) {
    routes.failed(request);
    return respond(std::move(*refused));
  }
  ProvisioningRequest order;
  order.verb = verb;
  order.kind = kind;
  order.domain = lower_case(captured(request, "domain"));
  order.name = captured(request, "name");
  order.next = request.query_value("next").value_or("");
  if (verb == Verb::audit) order.domain = lower_case(request.query_value("domain").value_or(""));
  order.who = name_of(routes.deps.provisioning_token);
  order.address = request.remote.host();
  if (const auto key = request.header("Idempotency-Key"); key && verb == Verb::create) {
    if (key->empty() || key->size() > 255)
      return respond(failure(400, "Idempotency-Key: expected 1 to 255 characters"));
    auto first = routes.idempotency.admit("/provisioning", request.path + "\n" + std::string(*key),
                                          IdempotencyCache::usual_keys, respond, Clock::now());
    if (!first) return;
    respond = std::move(*first);
  }
  if (const auto tags = request.header("If-Match")) order.if_match = tags_of(*tags);
  if (auto wrong = verb == Verb::patch ? wrong_patch_type(request) : std::nullopt) return respond(std::move(*wrong));
  if (verb == Verb::create || verb == Verb::replace || verb == Verb::patch) {
    auto body = parse_json_body(request.body);
    if (!body) return respond(failure(400, body.error().message));
    order.body = std::move(*body);
  }
  routes.deps.provisioning->execute(std::move(order),
                                    [respond](ProvisioningAnswer answer) { respond(to_answer(std::move(answer))); });
}

void add(http::Router& router, const std::shared_ptr<Routes>& routes, const std::string& pattern, ProvisionedKind kind,
         std::initializer_list<std::pair<const char*, Verb>> methods) {
  std::string names;
  for (const auto& [method, verb] : methods) {
    names += (names.empty() ? "" : ", ") + std::string(method);
    router.add(method, pattern,
               [routes, kind, verb = verb](const http::IncomingRequest& request, const http::Responder& respond) {
                 serve(*routes, verb, kind, request, respond);
               });
  }
  add_options(router, pattern, names);
}

}  // namespace

void add_provisioning(http::Router& router, const std::shared_ptr<Routes>& routes) {
  if (routes->deps.provisioning == nullptr || routes->deps.provisioning_token.empty()) return;
  const auto add_both = [&](const std::string& all, const std::string& name, ProvisionedKind kind) {
    add(router, routes, all, kind, {{"GET", Verb::list}, {"POST", Verb::create}});
    add(router, routes, all + name, kind,
        {{"GET", Verb::get},
         {"POST", Verb::create},
         {"PUT", Verb::replace},
         {"PATCH", Verb::patch},
         {"DELETE", Verb::remove}});
  };
  add_both("/provisioning/domain", "/{domain}", ProvisionedKind::domain);
  for (const auto& one : in_domain)
    add_both("/provisioning/" + std::string(one.path) + "/{domain}", "/{name}", one.kind);
  add(router, routes, "/provisioning/audit", ProvisionedKind::domain, {{"GET", Verb::audit}});
}

}  // namespace rw::api
