#include "api/fallback.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <ctime>

#include "api/answers.h"
#include "base/json_fields.h"
#include "call/fallback.h"

namespace rw::api {
namespace {

using tenant::Fallback;
using tenant::Fallbacks;

constexpr std::string_view for_all = "/cache/{domain}/ivrfallback";
constexpr std::string_view for_number = "/cache/{domain}/ivrfallback/{number}";

/// Seconds since 1970 until which the entry is used.
std::int64_t read_expiration(JsonFields& fields, std::int64_t now) {
  static constexpr std::array<std::pair<std::string_view, int>, 5> named{
      {{"DAY", 1}, {"WEEK", 7}, {"MONTH", 30}, {"QUARTER", 91}, {"HALF-YEAR", 182}}};
  constexpr std::int64_t day = 24 * 3600;
  constexpr double latest = 1e11;
  const auto text = fields.text("expiration").value_or("");
  const auto found = std::ranges::find(named, text, &std::pair<std::string_view, int>::first);
  if (found != named.end()) return now + found->second * day;
  std::optional<double> seconds;
  if (!text.empty()) {
    boost::json::object alone{{"expiration", text}};
    seconds = JsonFields(alone).number("expiration", static_cast<double>(now) + 1, latest);
  }
  if (!seconds)
    fields.reject("expiration", "DAY, WEEK, MONTH, QUARTER, HALF-YEAR or Unix seconds that have not passed");
  return static_cast<std::int64_t>(seconds.value_or(0));
}

Result<Fallback> read_entry(const tenant::Domain& domain, const std::string& number, const boost::json::object& body,
                            std::int64_t now) {
  JsonFields fields(body);
  Fallback entry;
  entry.domain = domain.name;
  entry.number = number;
  const auto mode = fields.choice("mode", {"onError", "always"});
  if (!mode) fields.reject("mode", "\"onError\" or \"always\"");
  entry.mode = mode == "always" ? Fallback::Mode::always : Fallback::Mode::on_error;
  entry.expires = read_expiration(fields, now);
  // An empty one is no reason to say that there is none: what is missing in it is named.
  const auto* given = body.if_contains("command");
  const auto* command = given == nullptr ? nullptr : given->if_object();
  if (command == nullptr) fields.reject("command", "an object");
  if (fields.error()) return tl::unexpected(*fields.error());
  const auto service = domain.service_for(number);
  const auto tone_plan = service ? service->tone_plan : tenant::Mediaservice{}.tone_plan;
  if (const auto usable = call::read_fallback_command(*command, {domain.name, tone_plan}); !usable)
    return tl::unexpected(usable.error());
  entry.command = boost::json::serialize(*command);
  if (entry.command.size() > tenant::longest_fallback_command) return fail("command: expected at most 32 KB of JSON");
  return entry;
}

boost::json::object data_of(const Fallback& entry) {
  boost::json::object data{{"mode", to_string(entry.mode)}, {"expiration", entry.expires}};
  if (!entry.number.empty()) data["number"] = entry.number;
  boost::system::error_code error;
  data["command"] = boost::json::parse(entry.command, error);
  return data;
}

/// The number in the path; empty: the entry for all. Nothing: it is none, and that has been answered.
std::optional<std::string> number_in(const http::IncomingRequest& request, bool is_for_number,
                                     const http::Responder& respond) {
  if (!is_for_number) return "";
  auto number = request.capture("number");
  const bool usable = !number.empty() && number.size() <= tenant::longest_fallback_number &&
                      std::ranges::all_of(number, [](unsigned char c) { return c > ' ' && c != 0x7f; });
  if (usable) return number;
  respond(failure(400, "number: expected a SIP user part of 1 to 128 characters"));
  return std::nullopt;
}

http::Answer answer_of(const Result<Fallbacks::Outcome>& outcome, boost::json::object members) {
  if (!outcome) return failure(503, "the database can't be used now: " + outcome.error().message);
  switch (*outcome) {
    case Fallbacks::Outcome::changed:
      break;
    case Fallbacks::Outcome::nothing_there:
      return failure(404, "number: there is no such entry");
    case Fallbacks::Outcome::too_many:
      return failure(409, "number: the domain has 1000 entries already");
  }
  return success(std::move(members));
}

void put(const Deps& deps, const tenant::Domain& domain, const std::string& number, const boost::json::object& body,
         const http::Responder& respond) {
  const auto now = std::time(nullptr);
  auto entry = read_entry(domain, number, body, now);
  if (!entry) return respond(failure(400, entry.error().message));
  boost::asio::post(deps.storage_threads,
                    [&fallbacks = deps.fallbacks, respond, entry = std::move(*entry), now]() mutable {
                      boost::json::object members{{"data", data_of(entry)}};
                      respond(answer_of(fallbacks.put(std::move(entry), now), std::move(members)));
                    });
}

void get(Routes& routes, bool is_for_number, const http::IncomingRequest& request, const http::Responder& respond) {
  const auto domain = routes.authorised(request, respond);
  if (!domain) return;
  const auto number = number_in(request, is_for_number, respond);
  if (!number) return;
  const auto now = std::time(nullptr);
  if (!number->empty()) {
    const auto entry = routes.deps.fallbacks.get(domain->name, *number, now);
    return respond(entry ? success({{"data", data_of(*entry)}}) : failure(404, "number: there is no such entry"));
  }
  boost::json::array all;
  for (const auto& entry : routes.deps.fallbacks.list(domain->name, now)) all.push_back(data_of(*entry));
  respond(success({{"data", std::move(all)}}));
}

void remove(Routes& routes, bool is_for_number, const http::IncomingRequest& request, const http::Responder& respond) {
  const auto domain = routes.authorised(request, respond);
  if (!domain) return;
  const auto number = number_in(request, is_for_number, respond);
  if (!number) return;
  routes.deps.log.info("api command", {{"command", "ivrfallback"}, {"method", "DELETE"}, {"domain", domain->name}});
  boost::asio::post(routes.deps.storage_threads,
                    [&fallbacks = routes.deps.fallbacks, respond, name = domain->name, number = *number] {
                      respond(answer_of(fallbacks.remove(name, number, std::time(nullptr)), {}));
                    });
}

}  // namespace

void add_fallbacks(http::Router& router, const std::shared_ptr<Routes>& routes) {
  for (const bool is_for_number : {false, true}) {
    const auto pattern = is_for_number ? for_number : for_all;
    std::vector<std::string> about;
    if (is_for_number) about.emplace_back("number");
    add_path_command(
        router, routes, pattern, "ivrfallback", std::move(about),
        [is_for_number](const Deps& deps, const tenant::Domain& domain, const http::IncomingRequest& request,
                        const boost::json::object& body, const http::Responder& respond) {
          if (const auto number = number_in(request, is_for_number, respond)) put(deps, domain, *number, body, respond);
        });
    add_options(router, pattern, "GET, POST, DELETE");
    router.add("GET", pattern, [=](const http::IncomingRequest& request, const http::Responder& respond) {
      get(*routes, is_for_number, request, respond);
    });
    router.add("DELETE", pattern, [=](const http::IncomingRequest& request, const http::Responder& respond) {
      remove(*routes, is_for_number, request, respond);
    });
  }
}

}  // namespace rw::api
