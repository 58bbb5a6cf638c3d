#include "api/health.h"

#include "api/answers.h"

namespace rw::api {

void add_health(http::Router& router, const std::shared_ptr<Routes>& routes) {
  using http::IncomingRequest;
  using http::Responder;
  for (const auto* path : {"/healthz", "/readyz", "/metrics"}) add_options(router, path, "GET");
  router.add("GET", "/healthz", [](const IncomingRequest&, const Responder& respond) {
    respond(json_answer(200, {{"status", "ok"}}));
  });
  router.add("GET", "/readyz", [routes](const IncomingRequest&, const Responder& respond) {
    if (!routes->deps.is_ready()) return respond(failure(503, "the server is starting or draining"));
    boost::json::object body{{"status", "ready"}};
    if (routes->deps.disk != nullptr) {
      const auto disk = routes->deps.disk->disk();
      if (disk.nearly_full()) body["disk"] = disk.full() ? "full" : "nearlyFull";
    }
    respond(json_answer(200, body));
  });
  router.add("GET", "/metrics", [routes](const IncomingRequest&, const Responder& respond) {
    respond({.status = 200,
             .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
             .body = routes->deps.metrics(),
             .source = {}});
  });
}

}  // namespace rw::api
