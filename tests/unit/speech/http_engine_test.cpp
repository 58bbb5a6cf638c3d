#include "speech/http_engine.h"

#include <gtest/gtest.h>

#include <atomic>

#include "unit/speech/collected.h"
#include "unit/speech/engine_server.h"
#include "unit/speech/sample_audio.h"

namespace rw::speech {
namespace {

using Server = EngineServer;

Result<void> speak(const std::string& url, const std::string& text, Collected& heard, HttpSpeechSettings settings = {},
                   FetchOptions options = {}) {
  settings.url = url;
  const auto engine = make_http_engine(settings, options);
  return engine->speak(audio::SpokenText{.text = text}, heard.take());
}

TEST(HttpEngine, SendsTheCommonRequestAndTakesAllFormats) {
  const std::vector<std::pair<std::string, std::string>> formats{{"wav", wav_of(16'000)},
                                                                 {"pcm", pcm_of(24'000)},
                                                                 {"mp3", mp3_of(16'000)},
                                                                 {"flac", flac_of(16'000)},
                                                                 {"opus", ogg_of(16'000)}};
  for (const auto& [format, bytes] : formats) {
    Server server([&bytes = bytes](const auto&) { return Server::ok(bytes); });
    HttpSpeechSettings settings;
    settings.model = "m1";
    settings.voice = "v1";
    settings.api_key = "secret";
    settings.format = format;
    settings.speed = 1.25;
    Collected heard;
    const auto spoken = speak(server.url(), "Say \"this\".", heard, settings);
    ASSERT_TRUE(spoken) << format << ": " << spoken.error().message;
    EXPECT_NEAR(heard.seconds(), 1, 0.2) << format;
    const auto request = server.requests().at(0);
    EXPECT_EQ(request.line, "POST /v1/audio/speech HTTP/1.1");
    EXPECT_EQ(request.headers.at("authorization"), "Bearer secret");
    EXPECT_EQ(request.headers.at("content-type"), "application/json");
    EXPECT_EQ(request.json(), (boost::json::object{{"model", "m1"},
                                                   {"voice", "v1"},
                                                   {"input", "Say \"this\"."},
                                                   {"response_format", format},
                                                   {"speed", 1.25}}));
  }
}

TEST(HttpEngine, SpeaksSentenceBySentence) {
  Server server([](const auto&) { return Server::ok(wav_of(8000)); });
  std::string text;
  for (int at = 0; at < 5; ++at) text += "This is a sentence that is long enough to stand alone. ";
  Collected heard;
  std::size_t asked_at_first = 0;
  const auto engine = make_http_engine({.url = server.url() + "/v1"}, {});
  const auto spoken = engine->speak(audio::SpokenText{.text = text}, [&](audio::Samples piece) {
    if (heard.pieces.empty()) asked_at_first = server.requests().size();
    heard.pieces.push_back(std::move(piece));
    return true;
  });
  ASSERT_TRUE(spoken) << spoken.error().message;
  EXPECT_EQ(asked_at_first, 1U);
  EXPECT_EQ(server.requests().size(), 5U);
  EXPECT_NEAR(heard.seconds(), 2.5, 0.01);
  EXPECT_EQ(server.requests().at(4).line, "POST /v1/audio/speech HTTP/1.1");
}

TEST(HttpEngine, StopsWhenNoMoreIsWanted) {
  Server server([](const auto&) { return Server::ok(wav_of(160'000)); });
  const auto engine = make_http_engine({.url = server.url()}, {});
  int taken = 0;
  const std::string sentence = "This is a sentence that is long enough to stand alone. ";
  EXPECT_TRUE(engine->speak(audio::SpokenText{.text = sentence + sentence}, [&](const audio::Samples&) {
    ++taken;
    return false;
  }));
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpEngine, TellsWhatWentWrong) {
  const auto wav = wav_of(16'000);
  const auto mp3 = mp3_of(16'000);
  const auto header = std::string("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n");
  const std::vector<std::pair<std::string, std::string>> faults{
      {Server::answer("401 Unauthorized", R"({"error": {"message": "wrong key"}})", "application/json"),
       "401 wrong key"},
      {Server::answer("500 Oops", "<html>down</html>", "text/html"), "500 <html>down</html>"},
      {Server::answer("429 Too Many", R"({"detail": "slowly"})", "application/json"), "429 slowly"},
      {Server::ok(""), "the audio is empty"},
      {Server::ok(wav_of(0)), "contains no audio"},
      {Server::ok("certainly no audio file"), "not audio"},
      {Server::ok(R"({"audio": "elsewhere"})", "application/json"), "the answer is no audio but application/json"},
      {Server::ok("<html>", "text/html; charset=utf-8"), "the answer is no audio but text/html"},
      {Server::ok(wav.substr(0, 20'000)), "cut off: "},
      {Server::ok(mp3.substr(0, mp3.size() / 2 + 1)), "cut off: "},
      {header + "Content-Length: 1000000\r\n\r\n" + wav, "tts.http: "},            // too little
      {header + "Content-Length: 20000\r\n\r\n" + wav, "cut off: "},               // too much
      {header + "Content-Length: 99999999999\r\n\r\n" + wav, "tts.http: "},        // more than is taken
      {header + "Transfer-Encoding: chunked\r\n\r\n100\r\n" + wav, "tts.http: "},  // broken chunks
      {"garbage", "tts.http: "},
      {"", "tts.http: "}};
  for (const auto& [bytes, expected] : faults) {
    Server server([&bytes = bytes](const auto&) { return bytes; });
    Collected heard;
    const auto spoken = speak(server.url(), "Hello", heard);
    ASSERT_FALSE(spoken) << expected;
    EXPECT_NE(spoken.error().message.find(expected), std::string::npos) << spoken.error().message;
    EXPECT_TRUE(spoken.error().message.starts_with("tts.http: ")) << spoken.error().message;
  }
  Collected heard;
  EXPECT_FALSE(speak("http://127.0.0.1:1", "Hello", heard));
  EXPECT_FALSE(speak("http://127.0.0.1:1", "...", heard));
}

TEST(HttpEngine, GivesUpOnAServerThatHangsAndWhenTold) {
  std::atomic<bool> cancel{false};
  std::promise<Server*> self;
  Server server([&, itself = self.get_future().share()](const auto&) {
    cancel = true;
    return itself.get()->never();
  });
  self.set_value(&server);
  Collected heard;
  const auto late = speak(server.url(), "Hello", heard, {}, {.timeout = std::chrono::milliseconds(200)});
  EXPECT_FALSE(late);
  const auto cancelled = speak(server.url(), "Hello", heard, {}, {.cancel = &cancel});
  EXPECT_FALSE(cancelled);
}

}  // namespace
}  // namespace rw::speech
