#include "api/rest_api.h"

#include "api/answers.h"
#include "api/command_route.h"
#include "api/fallback.h"
#include "api/hang_up_call.h"
#include "api/hang_up_participant.h"
#include "api/hang_up_remote_participant.h"
#include "api/health.h"
#include "api/interrupt_ivr_command.h"
#include "api/place_ivr_call.h"
#include "api/prompt_file.h"
#include "api/provisioning.h"
#include "api/recording.h"
#include "api/remote_call.h"
#include "api/split_connection.h"

namespace rw::api {

http::Router make_router(Deps deps) {
  http::Router router;
  const auto routes = std::make_shared<Routes>(std::move(deps));
  add_command(router, routes, "answerremotecall", answer_remote_call, Scheme::signature);
  add_command(router, routes, "answerremotecalljwt", answer_remote_call);
  add_command(router, routes, "hangupcall", hang_up_call, Scheme::signature);
  add_command(router, routes, "hangupcalljwt", hang_up_call);
  add_command(router, routes, "hangupparticipant", hang_up_participant);
  add_command(router, routes, "hangupremoteparticipant", hang_up_remote_participant);
  add_command(router, routes, "interruptivrcommand", interrupt_ivr_command);
  add_command(router, routes, "placeivrcall", place_ivr_call);
  add_command(router, routes, "placeremotecall", place_remote_call, Scheme::signature);
  add_command(router, routes, "placeremotecalljwt", place_remote_call);
  add_command(router, routes, "sendremotecallringback", send_remote_call_ringback, Scheme::signature);
  add_command(router, routes, "sendremotecallringbackjwt", send_remote_call_ringback);
  add_command(router, routes, "splitconnection", split_connection);
  add_command(router, routes, "startrecording", start_recording);
  add_command(router, routes, "stoprecording", stop_recording);
  add_prompt_files(router, routes);
  add_provisioning(router, routes);
  add_fallbacks(router, routes);
  add_health(router, routes);
  wait_for_keys(router, routes);
  return router;
}

http::ServerOptions make_server_options(const std::string& cors_allow_origin) {
  http::ServerOptions options;
  options.headers.emplace_back("Access-Control-Allow-Origin", cors_allow_origin);
  options.error = [](int status, const std::string& reason) { return failure(status, reason); };
  return options;
}

}  // namespace rw::api
