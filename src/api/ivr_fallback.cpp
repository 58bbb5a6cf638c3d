#include "api/ivr_fallback.h"

#include <boost/asio/post.hpp>
#include <cmath>

#include "api/answers.h"
#include "api/fallback_store.h"
#include "base/json_fields.h"
#include "base/period.h"
#include "call/fallback_plan.h"

namespace rw::api {
namespace {

using std::chrono::system_clock;

constexpr std::size_t longest_number = 128;
constexpr std::string_view database_away = "the database can't be reached; nothing was changed";

/// The called number that the path names; empty: it names none.
std::string number_of(const http::IncomingRequest& request) {
  const auto found = request.captures.find("number");
  return found == request.captures.end() ? std::string() : found->second;
}

/// "DAY" and the like from now on, or Unix time in seconds.
system_clock::time_point read_expiration(JsonFields& fields, system_clock::time_point now) {
  constexpr double latest = 4e9;
  const auto text = fields.text("expiration").value_or("");
  if (const auto period = named_period(text)) return now + *period;
  const auto seconds = text.empty() ? std::nullopt : fields.number("expiration", 0, latest);
  if (!seconds) {
    fields.reject("expiration", "DAY, WEEK, MONTH, QUARTER, HALF-YEAR or Unix time in seconds");
    return now;
  }
  const auto when = system_clock::time_point(std::chrono::seconds(std::llround(*seconds)));
  if (when <= now) fields.reject("expiration", "a time that has not passed");
  return when;
}

Result<tenant::Fallback> read_fallback(const boost::json::object& body, const std::string& domain) {
  JsonFields fields(body);
  tenant::Fallback fallback;
  const auto mode = fields.choice("mode", {"onError", "always"});
  if (!mode) fields.reject("mode", "\"onError\" or \"always\"");
  if (mode == "always") fallback.mode = tenant::Fallback::Mode::always;
  fallback.expires = read_expiration(fields, system_clock::now());
  const auto* command = fields.object("command");
  if (command == nullptr) fields.reject("command", "an object");
  if (fields.error()) return tl::unexpected(*fields.error());
  if (const auto plan = call::read_fallback_command(*command, {domain, "eu"}); !plan)
    return tl::unexpected(plan.error());
  fallback.command = *command;
  return fallback;
}

boost::json::object shown(const tenant::Fallback& fallback) {
  const auto expires = std::chrono::duration_cast<std::chrono::seconds>(fallback.expires.time_since_epoch()).count();
  return {{"mode", fallback.mode == tenant::Fallback::Mode::always ? "always" : "onError"},
          {"expiration", expires},
          {"command", fallback.command}};
}

void set(const Deps& deps, const tenant::Domain& domain, const http::IncomingRequest& request,
         const boost::json::object& body, const http::Responder& respond) {
  const auto number = number_of(request);
  if (number.size() > longest_number) return respond(failure(400, "number: at most 128 characters"));
  auto fallback = read_fallback(body, domain.name);
  if (!fallback) return respond(failure(400, fallback.error().message));
  boost::asio::post(deps.storage_threads, [&store = deps.fallbacks, domain = domain.name, number,
                                           fallback = std::move(*fallback), respond]() mutable {
    const auto data = shown(fallback);
    const auto kept = store.put(domain, number, std::move(fallback));
    respond(kept ? success({{"data", data}}) : failure(503, database_away));
  });
}

void get(Routes& routes, const http::IncomingRequest& request, const http::Responder& respond) {
  const auto domain = routes.authorised(request, respond);
  if (!domain) return;
  const auto found = routes.deps.fallbacks.get(domain->name, number_of(request));
  respond(found ? success({{"data", shown(*found)}}) : failure(404, "number: there is no fallback for it"));
}

void remove(Routes& routes, const http::IncomingRequest& request, const http::Responder& respond) {
  const auto domain = routes.authorised(request, respond);
  if (!domain) return;
  const auto number = number_of(request);
  boost::asio::post(routes.deps.storage_threads,
                    [&store = routes.deps.fallbacks, name = domain->name, number, respond] {
                      if (!store.get(name, number)) return respond(failure(404, "number: there is no fallback for it"));
                      respond(store.remove(name, number) ? success() : failure(503, database_away));
                    });
}

}  // namespace

void add_ivr_fallback(http::Router& router, const std::shared_ptr<Routes>& routes) {
  for (const std::string_view pattern : {"/cache/{domain}/ivrfallback", "/cache/{domain}/ivrfallback/{number}"}) {
    const bool one = pattern.ends_with("{number}");
    add_path_command(router, routes, pattern, "ivrfallback",
                     one ? std::vector<std::string>{"number"} : std::vector<std::string>{}, set);
    add_options(router, pattern, "GET, POST, DELETE");
    router.add("GET", pattern, [routes](const http::IncomingRequest& request, const http::Responder& respond) {
      get(*routes, request, respond);
    });
    router.add("DELETE", pattern, [routes](const http::IncomingRequest& request, const http::Responder& respond) {
      remove(*routes, request, respond);
    });
  }
}

}  // namespace rw::api
