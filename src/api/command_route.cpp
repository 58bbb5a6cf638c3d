#include "api/command_route.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/answers.h"
#include "api/deferred_sink.h"
#include "api/json_body.h"
#include "base/json_text.h"
#include "call/known_members.h"

namespace rw::api {
namespace {

constexpr std::size_t longest_idempotency_key = 255;

/// Keys that are remembered for a domain: at least as many as it may send while they are.
std::size_t most_keys(const tenant::Domain& domain) {
  constexpr double seconds = 61;  // a burst of one second's worth, and 60 s at the rate
  const auto by_rate = static_cast<std::size_t>(domain.requests_per_second.value_or(0) * seconds);
  return std::max(IdempotencyCache::usual_keys, by_rate);
}

/// The session that a command is about, by the replyId of its body; empty: it names none.
std::string session_of(const ReplyTokens& tokens, const boost::json::object& body) {
  const auto* value = body.if_contains("replyId");
  if (value == nullptr || !value->is_string()) return {};
  const auto subject = tokens.verify(value->get_string());
  return subject ? subject->session : std::string();
}

/// What one line of the log tells of a command.
struct CommandLine {
  std::string command, domain;
  std::string session = {};  ///< empty until it is known
};

http::Responder with_log_line(const Deps& deps, const std::shared_ptr<CommandLine>& line,
                              const http::Responder& respond) {
  return http::Responder([log = deps.log, line, respond](std::optional<http::Answer> answer) {
    if (!answer) answer = failure(500, "nobody answered the request");
    const auto reason = std::exchange(answer->refused_because, {});
    const auto& session = answer->about.empty() ? line->session : answer->about;
    const auto fields = log.with({{"command", line->command},
                                  {"domain", line->domain},
                                  {"status", std::to_string(answer->status)},
                                  ops::if_any("sessionId", session)});
    if (reason.empty()) {
      fields.info("api command");
    } else {
      fields.info("api command", {ops::text("reason", reason)});
    }
    respond(std::move(*answer));
  });
}

/// A session that is not here may be with the process that this one has taken over from.
http::Responder with_other_process(const Routes& routes, const http::IncomingRequest& request,
                                   const http::Responder& respond) {
  return http::Responder([elsewhere = routes.deps.elsewhere, request, respond](std::optional<http::Answer> answer) {
    if (answer && answer->status == 404 && elsewhere(request, respond)) return;
    respond(answer ? std::move(*answer) : failure(500, "nobody answered the request"));
  });
}

/// Tells of members that nobody knows: in the log, and as `warnings` in the answer.
http::Responder with_warnings(const ops::Log& log, std::string_view command, std::string_view domain,
                              const boost::json::object& body, const http::Responder& respond) {
  const auto unknown = call::unknown_members(command, body);
  if (unknown.empty()) return respond;
  log.warning("unknown member ignored",
              {{"command", command},
               {"domain", domain},
               ops::text("member", unknown.front().path),
               {"nearest", unknown.front().nearest},
               ops::if_any("count", unknown.size() > 1 ? std::to_string(unknown.size()) : "")});
  return http::Responder([warnings = call::warnings_of(unknown), respond](std::optional<http::Answer> answer) {
    if (!answer) answer = failure(500, "nobody answered the request");
    if (auto object = read_json_object(answer->body)) {
      (*object)["warnings"] = warnings;
      answer->body = boost::json::serialize(*object);
    }
    respond(std::move(*answer));
  });
}

}  // namespace

http::Answer Routes::turned_away(std::string_view limit, std::string_view reason, int retry_after) const {
  if (deps.refused) deps.refused(limit);
  return failure(429, "rateLimited", reason, retry_after);
}

std::optional<http::Answer> Routes::barred(const http::IncomingRequest& request) {
  if (!request.header("Authorization")) return std::nullopt;
  const auto wait = limits.barred(request.remote, Clock::now());
  if (!wait) return std::nullopt;
  return turned_away("credentials", "Authorization: there were too many that are not valid", *wait);
}

void Routes::failed(const http::IncomingRequest& request) {
  if (request.header("Authorization") && limits.failed(request.remote, Clock::now()))
    deps.log.warning("too many bad credentials: none are looked at for a while", {{"client", request.remote.site()}});
}

std::shared_ptr<const tenant::Domain> Routes::authorised(const http::IncomingRequest& request,
                                                         const http::Responder& respond, Scheme scheme) {
  if (auto answer = barred(request)) {
    respond(std::move(*answer));
    return nullptr;
  }
  const auto now = std::chrono::system_clock::now();
  const auto& name = request.capture("domain");
  auto domain = scheme == Scheme::signature ? authoriser.authorise_signed(name, request, now)
                                            : authoriser.authorise(name, request.header("Authorization"), now);
  if (domain) {
    // Counted only now: whoever has no right to the domain must not be able to use up what it has.
    const auto wait = limits.over_rate(**domain, Clock::now());
    if (!wait) return std::move(*domain);
    respond(turned_away("requestsPerSecond", "the domain has had its requests_per_second", *wait));
    return nullptr;
  }
  failed(request);
  auto answer = failure(domain.error().status, domain.error().reason);
  if (scheme == Scheme::signature) {
    for (auto& [header, value] : answer.headers) {
      if (header == "WWW-Authenticate") value = "AWS4-HMAC-SHA256";
    }
  }
  respond(std::move(answer));
  return nullptr;
}

void add_path_command(http::Router& router, const std::shared_ptr<Routes>& routes, std::string_view pattern,
                      std::string name, std::vector<std::string> about, PathCommand command, Scheme scheme) {
  add_options(router, pattern, "POST");
  router.add("POST", pattern,
             [routes, name = std::move(name), about = std::move(about), command = std::move(command), scheme](
                 const http::IncomingRequest& request, const http::Responder& respond) {
               const auto domain = routes->authorised(request, respond, scheme);
               if (!domain) return;
               const auto line = std::make_shared<CommandLine>(CommandLine{name, domain->name});
               auto answer_to = with_log_line(routes->deps, line, respond);
               if (const auto key = request.header("Idempotency-Key")) {
                 if (key->empty() || key->size() > longest_idempotency_key)
                   return answer_to(failure(400, "Idempotency-Key: expected 1 to 255 characters"));
                 auto whole_key = name;
                 for (const auto& capture : about) whole_key += "/" + request.capture(capture);
                 auto first = routes->idempotency.admit(domain->name, whole_key + "\n" + std::string(*key),
                                                        most_keys(*domain), answer_to, Clock::now());
                 if (!first) return;
                 answer_to = std::move(*first);
               }
               const auto body = parse_json_body(request.body);
               if (!body) return answer_to(failure(400, body.error().message));
               line->session = session_of(routes->deps.tokens, *body);
               if (routes->deps.elsewhere && !line->session.empty())
                 answer_to = with_other_process(*routes, request, answer_to);
               command(routes->deps, *domain, request, *body,
                       with_warnings(routes->deps.log, name, domain->name, *body, answer_to));
             });
}

void add_command(http::Router& router, const std::shared_ptr<Routes>& routes, std::string name, Command command,
                 Scheme scheme) {
  const auto pattern = "/{domain}/" + name;
  add_path_command(
      router, routes, pattern, std::move(name), {},
      [command = std::move(command)](const Deps& deps, const tenant::Domain& domain, const http::IncomingRequest&,
                                     const boost::json::object& body,
                                     const http::Responder& respond) { command(deps, domain, body, respond); },
      scheme);
}

void wait_for_keys(http::Router& router, const std::shared_ptr<Routes>& routes) {
  if (!routes->deps.jwks) return;
  const auto waits = [routes](const http::IncomingRequest& request, std::function<void()> then) {
    const auto domain = request.captures.find("domain");
    return domain != request.captures.end() && !routes->limits.barred(request.remote, Clock::now()) &&
           routes->authoriser.wait_for_keys(domain->second, request.header("Authorization"),
                                            std::chrono::system_clock::now(), std::move(then));
  };
  router.wrap(
      [waits](http::Handler handler) -> http::Handler {
        return [waits, handler = std::move(handler)](http::IncomingRequest request, const http::Responder& respond) {
          const auto later = std::make_shared<http::IncomingRequest>(std::move(request));
          if (!waits(*later, [later, respond, handler] { handler(std::move(*later), respond); }))
            handler(std::move(*later), respond);
        };
      },
      [waits](http::UploadHandler handler) -> http::UploadHandler {
        return [waits, handler = std::move(handler)](
                   http::IncomingRequest request, const http::Responder& respond) -> std::unique_ptr<http::BodySink> {
          const auto later = std::make_shared<http::IncomingRequest>(std::move(request));
          auto sink = std::make_unique<DeferredSink>();
          const auto held = sink->held();
          if (waits(*later, [later, respond, handler, held] { held->open(handler(std::move(*later), respond)); }))
            return sink;
          return handler(std::move(*later), respond);
        };
      });
}

void add_options(http::Router& router, std::string_view pattern, std::string methods) {
  methods += ", OPTIONS";
  router.add("OPTIONS", pattern,
             [methods = std::move(methods)](const http::IncomingRequest&, const http::Responder& respond) {
               auto answer = json_answer(200, {});
               answer.headers.emplace_back("Access-Control-Allow-Methods", methods);
               answer.headers.emplace_back(
                   "Access-Control-Allow-Headers",
                   "Authorization, Content-Type, Idempotency-Key, If-Match, Range, X-Amz-Content-Sha256, X-Amz-Date");
               respond(std::move(answer));
             });
}

}  // namespace rw::api
