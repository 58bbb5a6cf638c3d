#include "api/rest_api.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <ctime>
#include <future>
#include <map>

#include "api/prompt_file_url.h"
#include "api/prompt_upload.h"
#include "http/target.h"
#include "support/fallback_store.h"
#include "unit/api/memory_store.h"

namespace rw::api {
namespace {

using boost::json::object;

/// Writes the commands down, and answers them as the test likes.
class Calls final : public CallControl {
 public:
  void execute(CallCommand command, Done done) override {
    commands.push_back(std::move(command));
    if (hold) {
      held.push_back(std::move(done));
    } else {
      done(result);
    }
  }
  std::vector<CallCommand> commands;
  CommandResult result;
  bool hold = false;
  std::vector<Done> held;
};

class RestApiTest : public testing::Test {
 protected:
  static std::shared_ptr<const tenant::Domain> domain(std::string name, bool open) {
    auto made = std::make_shared<tenant::Domain>();
    made->name = std::move(name);
    made->open = open;
    return made;
  }

  static http::IncomingRequest request(std::string method, std::string_view target, std::string body = {}) {
    http::IncomingRequest made;
    auto parsed = http::parse_target(target);
    made.method = std::move(method);
    made.path = std::move(parsed->path);
    made.query = std::move(parsed->query);
    made.body = std::move(body);
    return made;
  }

  std::future<http::Answer> start(http::IncomingRequest request) {
    auto promise = std::make_shared<std::promise<http::Answer>>();
    const http::Responder respond([promise](std::optional<http::Answer> answer) {
      promise->set_value(answer ? std::move(*answer)
                                : http::Answer{.status = 500, .headers = {}, .body = {}, .source = {}});
    });
    auto match = router_.find(request.method, request.path);
    request.captures = std::move(match.captures);
    if (match.status != 200) {
      respond(http::Answer{.status = match.status, .headers = {}, .body = {}, .source = {}});
    } else if (match.route->upload) {
      auto body = std::move(request.body);
      upload(match.route->upload(std::move(request), respond), body);
    } else {
      match.route->handler(std::move(request), respond);
    }
    return promise->get_future();
  }

  /// As the server does it: two pieces, each after the other was taken.
  static void upload(std::unique_ptr<http::BodySink> sink, const std::string& body) {
    if (!sink) return;
    for (const auto& piece : {body.substr(0, body.size() / 2), body.substr(body.size() / 2)}) {
      auto taken = std::make_shared<std::promise<bool>>();
      sink->write(piece, [taken](bool more) { taken->set_value(more); });
      if (!taken->get_future().get()) return;
    }
    sink->finish();
  }

  http::Answer ask(http::IncomingRequest request) { return start(std::move(request)).get(); }
  http::Answer post(std::string_view target, std::string body) { return ask(request("POST", target, std::move(body))); }

  static object json(const http::Answer& answer) { return boost::json::parse(answer.body).as_object(); }
  static std::string text(const object& members, std::string_view name) {
    return std::string(members.at(name).as_string());
  }
  static std::string header(const http::Answer& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
      if (key == name) return value;
    }
    return {};
  }

  std::string reply_id(std::string name = "open.test", std::string node = "node-1") const {
    return tokens_.issue({std::move(name), std::move(node), "ses", "par", "con", "cmd"});
  }
  std::string with_reply_id(const std::string& more = {}) const {
    return "{\"replyId\":\"" + reply_id() + "\"" + more + "}";
  }

  Calls calls_;
  test::MemoryStore store_;
  std::shared_ptr<tenant::fake::Kept> kept_ = std::make_shared<tenant::fake::Kept>();
  tenant::Fallbacks fallbacks_{std::make_unique<tenant::fake::FallbackStore>(kept_)};
  boost::asio::thread_pool threads_{1};
  const ReplyTokens tokens_{"secret"};
  bool ready_ = true;
  std::shared_ptr<const tenant::Directory> directory_ =
      std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{
          domain("open.test", true), domain("other.test", true), domain("closed.test", false)});
  const http::Router router_ = make_router(Deps{.directory = [this] { return directory_; },
                                                .calls = calls_,
                                                .prompts = store_,
                                                .storage_threads = threads_,
                                                .fallbacks = fallbacks_,
                                                .tokens = tokens_,
                                                .node_id = "node-1",
                                                .log = ops::Log(ops::Log::Format::json, ops::Level::error),
                                                .is_ready = [this] { return ready_; },
                                                .metrics = [] { return std::string("ringwright_sessions 0\n"); },
                                                .public_url = [] { return std::string("https://rw.test"); }});
};

TEST_F(RestApiTest, HangUpParticipant) {
  const auto answer =
      post("/open.test/hangupparticipant", with_reply_id(R"(,"participantId":"p","sessionId":7,"x":[])"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json(answer), (object{{"success", true}, {"warnings", {{{"member", "x"}, {"nearest", "replyId"}}}}}));
  ASSERT_EQ(calls_.commands.size(), 1U);
  const auto& command = std::get<HangUpParticipant>(calls_.commands[0]);
  EXPECT_EQ(command.subject.session, "ses");
  EXPECT_EQ(command.subject.participant, "par");
  EXPECT_EQ(command.participant_id, "p");
  EXPECT_EQ(command.session_id, "7");
}

TEST_F(RestApiTest, InterruptIvrCommand) {
  EXPECT_EQ(post("/Open.Test/interruptivrcommand", with_reply_id()).status, 200);
  ASSERT_EQ(calls_.commands.size(), 1U);
  EXPECT_EQ(std::get<InterruptIvrCommand>(calls_.commands[0]).subject.command, "cmd");
}

TEST_F(RestApiTest, WhatTheCallsRefuseIsToldInTheirWords) {
  calls_.result = {409, "wrongState", "not now", 0, {}};
  const auto answer = post("/open.test/interruptivrcommand", with_reply_id());
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(json(answer), (object{{"success", false}, {"error", "wrongState"}, {"reason", "not now"}}));
}

TEST_F(RestApiTest, AMissingReplyIdIsNamed) {
  for (const auto* body :
       {R"({"sessionId":"s"})", R"({"replyId":null,"participantId":"p"})", R"({"replyId":""})", "{}"}) {
    for (const auto* path : {"/open.test/hangupparticipant", "/open.test/interruptivrcommand"}) {
      const auto answer = post(path, body);
      EXPECT_EQ(answer.status, 400);
      EXPECT_EQ(text(json(answer), "error"), "invalid");
      EXPECT_NE(text(json(answer), "reason").find("replyId"), std::string::npos);
    }
  }
  EXPECT_TRUE(calls_.commands.empty());
}

TEST_F(RestApiTest, AReplyIdThatIsNotOursIs400) {
  EXPECT_EQ(post("/open.test/hangupparticipant", R"({"replyId":"garbage"})").status, 400);
  EXPECT_EQ(post("/open.test/hangupparticipant", R"({"replyId":{}})").status, 400);
}

TEST_F(RestApiTest, AReplyIdOfAnotherDomainIs403) {
  EXPECT_EQ(post("/other.test/hangupparticipant", with_reply_id()).status, 403);
  EXPECT_TRUE(calls_.commands.empty());
}

TEST_F(RestApiTest, AReplyIdOfAnotherNodeIs404) {
  EXPECT_EQ(post("/open.test/hangupparticipant", "{\"replyId\":\"" + reply_id("open.test", "node-2") + "\"}").status,
            404);
}

TEST_F(RestApiTest, AWrongTypeNamesTheField) {
  const auto answer = post("/open.test/hangupparticipant", with_reply_id(R"(,"participantId":[])"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(text(json(answer), "reason").find("participantId"), std::string::npos);
}

TEST_F(RestApiTest, ABodyThatIsNoObjectIs400) {
  const auto deep = std::string(40, '[') + std::string(40, ']');
  for (const auto& body : {std::string(), std::string(" "), std::string("x"), std::string("[]"), std::string("{\"a\":"),
                           std::string("{} {}"), "{\"a\":" + deep + "}"})
    EXPECT_EQ(post("/open.test/hangupparticipant", body).status, 400) << body;
}

TEST_F(RestApiTest, UnknownDomains) {
  EXPECT_EQ(post("/unknown.test/hangupparticipant", "{}").status, 401);
  EXPECT_EQ(post("/closed.test/hangupparticipant", "{}").status, 401);
  directory_ = std::make_shared<tenant::Directory>(
      std::vector<std::shared_ptr<const tenant::Domain>>{domain("open.test", true)});
  EXPECT_EQ(post("/unknown.test/hangupparticipant", "{}").status, 404);
}

TEST_F(RestApiTest, TheSameIdempotencyKeyRunsOnce) {
  auto first = request("POST", "/open.test/hangupparticipant", with_reply_id());
  first.headers.emplace_back("idempotency-key", "k");
  calls_.hold = true;
  auto one = start(first);
  auto two = start(first);
  ASSERT_EQ(calls_.commands.size(), 1U);
  calls_.held[0]({404, "notFound", "gone", 0, {}});
  EXPECT_EQ(one.get().status, 404);
  EXPECT_EQ(two.get().body, ask(first).body);
  EXPECT_EQ(calls_.commands.size(), 1U);
  auto elsewhere = request("POST", "/open.test/interruptivrcommand", with_reply_id());
  elsewhere.headers = first.headers;
  calls_.hold = false;
  EXPECT_EQ(ask(elsewhere).status, 200);
}

TEST_F(RestApiTest, OptionsOnEveryPath) {
  for (const auto* path : {"/open.test/hangupparticipant", "/unknown.test/interruptivrcommand", "/d/promptfile",
                           "/d/promptfile/x.wav", "/healthz", "/readyz", "/metrics"}) {
    const auto answer = ask(request("OPTIONS", path));
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body, "{}");
    EXPECT_NE(header(answer, "Access-Control-Allow-Methods").find("OPTIONS"), std::string::npos);
    EXPECT_NE(header(answer, "Access-Control-Allow-Headers").find("Authorization"), std::string::npos);
  }
}

TEST_F(RestApiTest, EveryAnswerCarriesTheAllowedOrigin) {
  const auto options = make_server_options("https://x.test");
  ASSERT_EQ(options.headers.size(), 1U);
  EXPECT_EQ(options.headers[0], (std::pair<std::string, std::string>{"Access-Control-Allow-Origin", "https://x.test"}));
  const auto answer = options.error(413, "too much");
  EXPECT_EQ(json(answer), (object{{"success", false}, {"error", "tooLarge"}, {"reason", "too much"}}));
}

TEST_F(RestApiTest, APromptIsStoredListedFetchedAndRemoved) {
  EXPECT_EQ(ask(request("PUT", "/open.test/promptfile/a%20b.wav", "audio: hello")).status, 200);
  EXPECT_EQ(json(ask(request("GET", "/open.test/promptfile"))),
            (object{{"success", true}, {"next", nullptr}, {"files", {{{"name", "a b.wav"}, {"size", 12}}}}}));
  const auto fetched = ask(request("GET", "/open.test/promptfile/a%20b.wav"));
  EXPECT_EQ(fetched.status, 200);
  EXPECT_EQ(header(fetched, "Content-Type"), "audio/wav");
  ASSERT_TRUE(fetched.source);
  std::string content(100, '\0');
  content.resize(fetched.source->read(0, content).value());
  EXPECT_EQ(content, "audio: hello");
  EXPECT_EQ(ask(request("GET", "/other.test/promptfile/a%20b.wav")).status, 404);
  EXPECT_EQ(ask(request("DELETE", "/open.test/promptfile/a%20b.wav")).status, 200);
  EXPECT_EQ(ask(request("DELETE", "/open.test/promptfile/a%20b.wav")).status, 404);
}

TEST_F(RestApiTest, WhatPromptStorageRefuses) {
  EXPECT_EQ(ask(request("PUT", "/open.test/promptfile/x.wav", "no sound")).status, 415);
  EXPECT_EQ(ask(request("PUT", "/open.test/promptfile/x.wav", "audio: too large")).status, 413);
  EXPECT_EQ(ask(request("PUT", "/open.test/promptfile/a%2Fb", "audio: x")).status, 400);
  EXPECT_EQ(ask(request("PUT", "/open.test/promptfile/a%0Ab", "audio: x")).status, 400);
  EXPECT_EQ(ask(request("PUT", "/closed.test/promptfile/x", "audio: x")).status, 401);
  const auto missing = ask(request("GET", "/open.test/promptfile/none"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(text(json(missing), "error"), "notFound");
}

TEST(UploadSlots, ADomainHasAPartOfThem) {
  UploadSlots slots(24);
  std::vector<std::shared_ptr<void>> taken;
  const auto take_all = [&](const std::string& domain) {
    std::size_t got = 0;
    for (;; ++got) {
      auto place = slots.take(domain);
      if (!place) return std::pair(got, place.error());
      taken.push_back(*place);
    }
  };
  EXPECT_EQ(take_all("a"), std::pair(std::size_t{3}, UploadSlots::Full::domain));
  for (const auto* domain : {"b", "c", "d", "e", "f", "g", "h"}) EXPECT_EQ(take_all(domain).first, 3U);
  EXPECT_EQ(take_all("i"), std::pair(std::size_t{0}, UploadSlots::Full::server));
  EXPECT_EQ(take_all("a").second, UploadSlots::Full::domain) << "it has to wait for itself";
  taken.erase(taken.begin());
  EXPECT_EQ(take_all("b").second, UploadSlots::Full::domain);
  EXPECT_EQ(take_all("i").first, 1U);
  EXPECT_TRUE(UploadSlots(1).take("a"));
}

TEST_F(RestApiTest, UploadsAtOnceAreLimited) {
  const auto match = router_.find("PUT", "/open.test/promptfile/x");
  auto upload = request("PUT", "/open.test/promptfile/x");
  upload.captures = match.captures;
  int refused = 0;
  const http::Responder respond([&refused](const std::optional<http::Answer>& answer) {
    if (answer) refused = answer->status;
  });
  std::vector<std::unique_ptr<http::BodySink>> sinks;
  while (auto sink = match.route->upload(upload, respond)) sinks.push_back(std::move(sink));
  EXPECT_EQ(refused, 429);
  EXPECT_EQ(sinks.size(), 32U);
  sinks.clear();
  boost::asio::post(threads_, boost::asio::use_future([] {})).get();  // the slots are given back before this
  EXPECT_EQ(ask(upload).status, 415);
}

TEST_F(RestApiTest, PagesAreContinued) {
  for (const auto* name : {"1", "2", "3"})
    ask(request("PUT", std::string("/open.test/promptfile/") + name, "audio: x"));
  const auto first = json(ask(request("GET", "/open.test/promptfile")));
  EXPECT_EQ(first.at("files").as_array().size(), 2U);
  const auto second = json(ask(request("GET", "/open.test/promptfile?next=" + text(first, "next"))));
  EXPECT_EQ(second.at("files").as_array().size(), 1U);
  EXPECT_TRUE(second.at("next").is_null());
}

TEST_F(RestApiTest, APromptUrlNeedsNoToken) {
  ask(request("PUT", "/open.test/promptfile/a.wav", "audio: hello"));
  const auto answer = ask(request("GET", "/Open.Test/promptfile/a.wav/url"));
  ASSERT_EQ(answer.status, 200);
  const auto url = text(json(answer), "url");
  ASSERT_TRUE(url.starts_with("https://rw.test/open.test/promptfile/a.wav?expires=")) << url;
  const auto path = url.substr(std::string("https://rw.test").size());
  EXPECT_EQ(ask(request("GET", path)).status, 200);
  EXPECT_EQ(ask(request("GET", path + "x")).status, 403);
  // Where a token is asked for, the signature stands for it; it is looked at even where none is.
  const PromptUrlSigner signer(tokens_);
  EXPECT_EQ(ask(request("GET", signer.sign("closed.test", "a.wav", std::time(nullptr)))).status, 404);
  EXPECT_EQ(ask(request("GET", signer.sign("closed.test", "a.wav", std::time(nullptr) - 1000))).status, 403);
  EXPECT_EQ(ask(request("GET", signer.sign("gone.test", "a.wav", std::time(nullptr)))).status, 404);
  EXPECT_EQ(ask(request("GET", "/closed.test/promptfile/a.wav/url")).status, 401);
  EXPECT_EQ(ask(request("GET", "/closed.test/promptfile/a.wav?signature=")).status, 403);
  EXPECT_EQ(ask(request("GET", "/open.test/promptfile/b.wav/url")).status, 404);
}

TEST_F(RestApiTest, AMoveIsReadBeforeItIsTried) {
  ask(request("PUT", "/open.test/promptfile/a.wav", "audio: hello"));
  const auto wrong = post("/open.test/promptfile/a.wav/move", R"({"type":"s3","bucketRegion":"eu-north-1"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(text(json(wrong), "reason").find("bucketName"), std::string::npos);
  const auto* body = R"({"type":"s3","bucketRegion":"eu-north-1","bucketName":"bucket"})";
  EXPECT_EQ(post("/open.test/promptfile/a.wav/move", body).status, 409);  // nothing to move to
  EXPECT_EQ(post("/closed.test/promptfile/a.wav/move", body).status, 401);
}

TEST_F(RestApiTest, Health) {
  EXPECT_EQ(json(ask(request("GET", "/healthz"))), (object{{"status", "ok"}}));
  EXPECT_EQ(ask(request("GET", "/readyz")).status, 200);
  ready_ = false;
  const auto draining = ask(request("GET", "/readyz"));
  EXPECT_EQ(draining.status, 503);
  EXPECT_FALSE(header(draining, "Retry-After").empty());
  EXPECT_EQ(ask(request("GET", "/metrics")).body, "ringwright_sessions 0\n");
}

constexpr std::string_view fallback =
    R"({"mode":"onError","expiration":"DAY","command":{"action":{"type":"hangup"},"phrases":[{"fileName":"a"}]}})";

TEST_F(RestApiTest, FallbacksAreSetListedAndDeleted) {
  EXPECT_EQ(post("/cache/open.test/ivrfallback/%2B4685", std::string(fallback)).status, 200);
  EXPECT_EQ(post("/cache/open.test/ivrfallback", std::string(fallback)).status, 200);
  const auto all = json(ask(request("GET", "/cache/open.test/ivrfallback"))).at("data").as_array();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_FALSE(all[0].as_object().contains("number"));
  EXPECT_EQ(all[1].at("number"), "+4685");
  const auto one = json(ask(request("GET", "/cache/open.test/ivrfallback/%2B4685"))).at("data").as_object();
  EXPECT_EQ(one, all[1].as_object());
  EXPECT_TRUE(json(ask(request("GET", "/cache/other.test/ivrfallback"))).at("data").as_array().empty());
  EXPECT_EQ(ask(request("DELETE", "/cache/other.test/ivrfallback/%2B4685")).status, 404);
  EXPECT_EQ(ask(request("DELETE", "/cache/open.test/ivrfallback/%2B4685")).status, 200);
  EXPECT_EQ(ask(request("DELETE", "/cache/open.test/ivrfallback")).status, 200);
  EXPECT_TRUE(kept_->entries.empty());
}

TEST_F(RestApiTest, FallbacksAreRefused) {
  EXPECT_EQ(post("/cache/closed.test/ivrfallback/1", std::string(fallback)).status, 401);
  EXPECT_EQ(post("/cache/open.test/ivrfallback/" + std::string(129, '1'), std::string(fallback)).status, 400);
  EXPECT_EQ(post("/cache/open.test/ivrfallback/a%20b", std::string(fallback)).status, 400);
  kept_->away = true;
  EXPECT_EQ(post("/cache/open.test/ivrfallback/1", std::string(fallback)).status, 503);
  kept_->away = false;
  for (std::size_t at = 0; at < tenant::most_fallbacks; ++at)
    kept_->entries[{"open.test", std::to_string(at)}] = tenant::Fallback{
        .domain = "open.test", .number = std::to_string(at), .expires = std::time(nullptr) + 100, .command = "{}"};
  ++kept_->revision;
  ASSERT_TRUE(fallbacks_.refresh(std::time(nullptr)));
  EXPECT_EQ(post("/cache/open.test/ivrfallback/one-more", std::string(fallback)).status, 409);
}

}  // namespace
}  // namespace rw::api
