#include "api/command_route.h"

#include "api/answers.h"
#include "api/json_body.h"

namespace rw::api {
namespace {

constexpr std::size_t longest_idempotency_key = 255;

http::Responder with_log_line(const ops::Log& log, std::string command, std::string domain,
                              const http::Responder& respond) {
  return http::Responder(
      [log, command = std::move(command), domain = std::move(domain), respond](std::optional<http::Answer> answer) {
        if (!answer) answer = failure(500, "nobody answered the request");
        log.info("api command", {{"command", command}, {"domain", domain}, {"status", std::to_string(answer->status)}});
        respond(std::move(*answer));
      });
}

}  // namespace

std::shared_ptr<const tenant::Domain> Routes::authorised(const http::IncomingRequest& request,
                                                         const http::Responder& respond) {
  auto domain = authoriser.authorise(request.capture("domain"), request.header("Authorization"),
                                     std::chrono::system_clock::now());
  if (domain) return std::move(*domain);
  respond(failure(domain.error().status, domain.error().reason));
  return nullptr;
}

void add_path_command(http::Router& router, const std::shared_ptr<Routes>& routes, std::string_view pattern,
                      std::string name, std::vector<std::string> about, PathCommand command) {
  add_options(router, pattern, "POST");
  router.add("POST", pattern,
             [routes, name = std::move(name), about = std::move(about), command = std::move(command)](
                 const http::IncomingRequest& request, const http::Responder& respond) {
               const auto domain = routes->authorised(request, respond);
               if (!domain) return;
               auto answer_to = with_log_line(routes->deps.log, name, domain->name, respond);
               if (const auto key = request.header("Idempotency-Key")) {
                 if (key->empty() || key->size() > longest_idempotency_key)
                   return answer_to(failure(400, "Idempotency-Key: expected 1 to 255 characters"));
                 auto whole_key = domain->name + "/" + name;
                 for (const auto& capture : about) whole_key += "/" + request.capture(capture);
                 auto first = routes->idempotency.admit(whole_key + "\n" + std::string(*key), answer_to, Clock::now());
                 if (!first) return;
                 answer_to = std::move(*first);
               }
               const auto body = parse_json_body(request.body);
               if (!body) return answer_to(failure(400, body.error().message));
               command(routes->deps, *domain, request, *body, answer_to);
             });
}

void add_command(http::Router& router, const std::shared_ptr<Routes>& routes, std::string name, Command command) {
  const auto pattern = "/{domain}/" + name;
  add_path_command(
      router, routes, pattern, std::move(name), {},
      [command = std::move(command)](const Deps& deps, const tenant::Domain& domain, const http::IncomingRequest&,
                                     const boost::json::object& body,
                                     const http::Responder& respond) { command(deps, domain, body, respond); });
}

void add_options(http::Router& router, std::string_view pattern, std::string methods) {
  methods += ", OPTIONS";
  router.add("OPTIONS", pattern,
             [methods = std::move(methods)](const http::IncomingRequest&, const http::Responder& respond) {
               auto answer = json_answer(200, {});
               answer.headers.emplace_back("Access-Control-Allow-Methods", methods);
               answer.headers.emplace_back("Access-Control-Allow-Headers",
                                           "Authorization, Content-Type, Idempotency-Key, Range");
               respond(std::move(answer));
             });
}

}  // namespace rw::api
