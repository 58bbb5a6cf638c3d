#include "app/demo_server.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "audio/wav_file.h"
#include "demo/demo_application.h"
#include "speech/flite_engine.h"

namespace rw::app {
namespace {

http::Answer answer_event(const http::IncomingRequest& request) {
  boost::system::error_code error;
  const auto body = boost::json::parse(request.body, error);
  http::Answer answer;
  if (error || !body.is_object()) {
    answer.status = 400;
    return answer;
  }
  answer.headers.emplace_back("Content-Type", "application/json");
  answer.body = boost::json::serialize(demo::demo_reply(request.capture("event"), body.get_object()));
  return answer;
}

http::Router routes() {
  http::Router router;
  router.add("POST", "/{event}", [](const http::IncomingRequest& request, const http::Responder& respond) {
    respond(answer_event(request));
  });
  return router;
}

}  // namespace

DemoServer::DemoServer(boost::asio::io_context& loop) : server_(loop, routes(), {}) {}

Result<std::unique_ptr<DemoServer>> DemoServer::start(boost::asio::io_context& loop) {
  auto demo = std::unique_ptr<DemoServer>(new DemoServer(loop));  // NOLINT: private constructor
  const auto address = demo->server_.listen(*net::Address::from("127.0.0.1", 0));
  if (!address) return tl::unexpected(address.error());
  demo->url_ = "http://" + address->to_string();
  return demo;
}

Result<void> make_demo_prompts(storage::PromptStore& store, const std::string& domain) {
  const auto engine = speech::make_flite_engine();
  for (const auto& prompt : demo::demo_prompts()) {
    const std::string name(prompt.file_name);
    if (store.find(domain, name)) continue;
    const auto spoken = speech::speak_whole(*engine, audio::SpokenText{.text = std::string(prompt.text)});
    if (!spoken) return fail(name + ": " + spoken.error().message);
    const auto bytes = audio::wav_bytes(*spoken);
    auto upload = store.begin(domain, name);
    if (!upload) return fail(name + ": " + upload.error().message);
    if (auto written = (*upload)->write(bytes); !written) return fail(name + ": " + written.error().message);
    if (auto stored = (*upload)->commit(); !stored) return fail(name + ": " + stored.error().message);
  }
  return {};
}

}  // namespace rw::app
