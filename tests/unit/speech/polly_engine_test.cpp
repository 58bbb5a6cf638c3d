#include "speech/polly_engine.h"

#include <gtest/gtest.h>

#include <ctime>

#include "unit/speech/collected.h"
#include "unit/speech/engine_server.h"
#include "unit/speech/sample_audio.h"

namespace rw::speech {
namespace {

using Server = EngineServer;

PollySettings settings_for(const std::string& endpoint) {
  PollySettings settings;
  settings.region = "eu-north-1";
  settings.credentials = {"AKID", "secret", {}};
  settings.endpoint = endpoint;
  return settings;
}

Result<void> speak(const std::string& endpoint, const std::string& parameters, Collected& heard) {
  const auto engine = make_polly_engine(settings_for(endpoint), {});
  return engine->speak(audio::PollySpeech{parameters, {}, {}}, heard.take());
}

/// Recomputes what the request says of itself.
void expect_signed(const Server::Request& request, const std::string& host, const auth::AwsCredentials& credentials,
                   const std::string& region) {
  const auto date = request.headers.at("x-amz-date");
  std::tm utc{};
  ASSERT_NE(::strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &utc), nullptr);
  const auto time = ::timegm(&utc);
  EXPECT_NEAR(static_cast<double>(time), static_cast<double>(std::time(nullptr)), 60);
  auth::SignedRequest as_sent{"POST",
                              "/v1/speech",
                              {},
                              {{"content-type", request.headers.at("content-type")}, {"host", host}},
                              auth::payload_hash(request.body)};
  for (const auto& [name, value] : auth::sign(as_sent, credentials, {region, "polly", time})) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    EXPECT_EQ(request.headers.at(lower), value) << name;
  }
  EXPECT_EQ(request.headers.at("host"), host);
}

TEST(Polly, PassesTheBodyOnAndSignsIt) {
  Server server([](const auto&) { return Server::ok(pcm_of(16'000), "audio/pcm"); });
  Collected heard;
  const auto spoken =
      speak(server.url(), R"({"Text": "Hej", "VoiceId": "Elin", "Engine": "neural", "LexiconNames": ["a"]})", heard);
  ASSERT_TRUE(spoken) << spoken.error().message;
  EXPECT_NEAR(heard.seconds(), 1, 0.01);
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.line, "POST /v1/speech HTTP/1.1");
  EXPECT_EQ(request.json(), (boost::json::object{{"Text", "Hej"},
                                                 {"VoiceId", "Elin"},
                                                 {"Engine", "neural"},
                                                 {"LexiconNames", {"a"}},
                                                 {"OutputFormat", "pcm"},
                                                 {"SampleRate", "16000"}}));
  expect_signed(request, server.host(), settings_for("").credentials, "eu-north-1");
}

TEST(Polly, UsesThePhrasesRegionAndTemporaryCredentials) {
  Server server([](const auto&) { return Server::ok(pcm_of(8000), "audio/pcm"); });
  auto settings = settings_for(server.url());
  settings.credentials.session_token = "token";
  const auto engine = make_polly_engine(settings, {});
  Collected heard;
  ASSERT_TRUE(engine->speak(audio::PollySpeech{R"({"Text": "x"})", "us-west-2", {}}, heard.take()));
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.headers.at("x-amz-security-token"), "token");
  EXPECT_NE(request.headers.at("authorization").find("/us-west-2/polly/aws4_request"), std::string::npos);
  expect_signed(request, server.host(), settings.credentials, "us-west-2");
  EXPECT_FALSE(engine->speak(audio::PollySpeech{R"({"Text": "x"})", "evil.example/", {}}, heard.take()));
  settings.region.clear();
  EXPECT_FALSE(make_polly_engine(settings, {})->speak(audio::PollySpeech{R"({"Text": "x"})", {}, {}}, heard.take()));
}

TEST(Polly, TakesAllFormats) {
  const std::vector<std::pair<std::string, std::string>> formats{
      {R"("OutputFormat": "mp3", "SampleRate": 22050)", mp3_of(16'000)},
      {R"("OutputFormat": "ogg_vorbis")", encoded(SF_FORMAT_OGG | SF_FORMAT_VORBIS, 16'000, 16'000)},
      {R"("OutputFormat": "ogg_opus")", ogg_of(16'000)},
      {R"("OutputFormat": "pcm", "SampleRate": "8000")", pcm_of(8000)},
      {R"("OutputFormat": "pcm")", pcm_of(16'000)},
      {R"("SampleRate": 8000)", pcm_of(8000)}};
  for (const auto& [members, bytes] : formats) {
    Server server([&bytes = bytes](const auto&) { return Server::ok(bytes, "audio/x"); });
    Collected heard;
    const auto spoken = speak(server.url(), R"({"Text": "x", )" + members + "}", heard);
    ASSERT_TRUE(spoken) << members << ": " << spoken.error().message;
    EXPECT_NEAR(heard.seconds(), 1, 0.2) << members;
    const auto body = server.requests().at(0).json();
    EXPECT_TRUE(body.contains("OutputFormat"));
    const auto* rate = body.if_contains("SampleRate");
    EXPECT_TRUE(rate == nullptr || rate->is_string());
  }
}

TEST(Polly, RefusesWhatCanNotBeHeard) {
  Collected heard;
  for (const auto* parameters : {"[]", "{", R"({"VoiceId": "Elin"})", R"({"Text": ""})", R"({"Text": ["x"]})",
                                 R"({"Text": "x", "OutputFormat": "json"})",
                                 R"({"Text": "x", "OutputFormat": "json", "SpeechMarkTypes": ["word"]})"})
    EXPECT_FALSE(speak("http://127.0.0.1:1", parameters, heard)) << parameters;
}

TEST(Polly, TellsWhatWentWrong) {
  const std::vector<std::pair<std::string, std::string>> faults{
      {Server::answer("403 Forbidden", R"({"message": "The security token is invalid."})", "application/json",
                      "x-amzn-ErrorType: UnrecognizedClientException\r\n"),
       "Polly: 403 UnrecognizedClientException: The security token is invalid."},
      {Server::answer("400 Bad", R"({"message": "Invalid SSML request"})", "application/json",
                      "x-amzn-ErrorType: InvalidSsmlException:http://internal.amazon.com/\r\n"),
       "Polly: 400 InvalidSsmlException: Invalid SSML request"},
      {Server::answer("401 No", "", "text/plain"), "Polly: 401 "},
      {Server::ok("", "audio/pcm"), "Polly: the audio is empty"},
      {Server::ok(pcm_of(1000) + "x", "audio/pcm"), "Polly: the audio breaks off"},
      {Server::ok("{}", "application/json"), "Polly: the answer is no audio"},
      {"HTTP/1.1 200 OK\r\nContent-Type: audio/pcm\r\nContent-Length: 50000\r\n\r\n" + pcm_of(1000), "Polly: "}};
  for (const auto& [bytes, expected] : faults) {
    Server server([&bytes = bytes](const auto&) { return bytes; });
    Collected heard;
    const auto spoken = speak(server.url(), R"({"Text": "x"})", heard);
    ASSERT_FALSE(spoken) << expected;
    EXPECT_TRUE(spoken.error().message.starts_with(expected)) << spoken.error().message;
  }
}

}  // namespace
}  // namespace rw::speech
