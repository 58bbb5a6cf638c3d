#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <vector>

#include "api/authorise.h"
#include "api/deps.h"
#include "api/idempotency_cache.h"
#include "api/request_limits.h"
#include "http/router.h"

namespace rw::api {

/// What the routes share; lives as long as one of them.
struct Routes {
  explicit Routes(Deps d)
      : deps(std::move(d)),
        authoriser(deps.directory, deps.jwks),
        limits(deps.most_failures),
        idempotency(std::chrono::seconds(60), [this] { bounded("idempotencyKeys"); }) {}
  Deps deps;
  Authoriser authoriser;
  RequestLimits limits;
  IdempotencyCache idempotency;

  /// The domain of the path, if the request may act for it, and it is not one too many. Otherwise nothing: it has been
  /// answered.
  std::shared_ptr<const tenant::Domain> authorised(const http::IncomingRequest& request, const http::Responder& respond,
                                                   Scheme scheme = Scheme::bearer);
  /// The answer for a client whose credentials are not looked at, because too many were bad; nothing for any other.
  std::optional<http::Answer> barred(const http::IncomingRequest& request);
  /// Counts what a bound has stopped.
  void bounded(ops::Bound bound) const {
    if (deps.bounded) deps.bounded(bound);
  }
  /// Notes that its credentials, if it has any, are bad.
  void failed(const http::IncomingRequest& request);

 private:
  http::Answer turned_away(std::string_view limit, std::string_view reason, int retry_after) const;
};

/// A command: `POST /{domain}/<name>` with a JSON object.
using Command = std::function<void(const Deps& deps, const tenant::Domain& domain, const boost::json::object& body,
                                   const http::Responder& respond)>;

/// Adds a command's route, which authorises, keeps the promise of Idempotency-Key, parses the body and writes one log
/// line for each answer. `scheme`: what lets it in.
void add_command(http::Router& router, const std::shared_ptr<Routes>& routes, std::string name, Command command,
                 Scheme scheme = Scheme::bearer);

/// The same at a path of its own, "/{domain}/…", some of which the command is about.
using PathCommand =
    std::function<void(const Deps& deps, const tenant::Domain& domain, const http::IncomingRequest& request,
                       const boost::json::object& body, const http::Responder& respond)>;
/// `name`: for the log; `about`: which captures say what it is about.
void add_path_command(http::Router& router, const std::shared_ptr<Routes>& routes, std::string_view pattern,
                      std::string name, std::vector<std::string> about, PathCommand command,
                      Scheme scheme = Scheme::bearer);

/// Lets the requests of all routes that the router has so far, and whose path names a domain, wait for keys that are
/// being fetched.
void wait_for_keys(http::Router& router, const std::shared_ptr<Routes>& routes);

/// Adds OPTIONS for a path: 200, {} and the CORS headers. (Access-Control-Allow-Origin stands on every answer.)
void add_options(http::Router& router, std::string_view pattern, std::string methods);

}  // namespace rw::api
