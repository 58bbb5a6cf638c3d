#include "speech/speech_service.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "speech/canonical_json.h"
#include "speech/child_process.h"
#include "speech/spoken_form.h"
#include "support/scratch_folder.h"
#include "unit/speech/collected.h"
#include "unit/speech/engine_server.h"
#include "unit/speech/sample_audio.h"

namespace rw::speech {
namespace {

using Server = EngineServer;
using TextEngine = SpeechSettings::TextEngine;

class ServiceTest : public testing::Test {
 protected:
  Result<void> speak(const SpeechSettings& settings, const audio::SpeechRequest& request) {
    auto service = SpeechService::make(settings, folder.file("speech"), nullptr, log);
    if (!service) return tl::unexpected(service.error());
    heard = {};
    return (*service)->make_engine()->speak(request, heard.take());
  }
  testing_support::ScratchFolder folder;
  ops::Log log{ops::Log::Format::text, ops::Level::error};
  Collected heard;
};

SpeechSettings with_polly(const std::string& endpoint) {
  SpeechSettings settings;
  settings.polly = {"eu-north-1", {"AKID", "secret", {}}, endpoint};
  return settings;
}

TEST_F(ServiceTest, TextGoesToTheEngineOfItsLanguage) {
  SpeechSettings settings;
  ASSERT_TRUE(speak(settings, audio::SpokenText{.text = "Hello", .language = "en-GB"}));
  const auto flite_rate = heard.pieces.at(0).rate;
  ASSERT_TRUE(speak(settings, audio::SpokenText{.text = "Hej", .language = "sv-SE"}));
  if (is_installed("espeak-ng")) {
    EXPECT_NE(heard.pieces.at(0).rate, flite_rate);
    settings.engine = TextEngine::espeak_ng;
    ASSERT_TRUE(speak(settings, audio::SpokenText{.text = "Hello"}));
    EXPECT_NE(heard.pieces.at(0).rate, flite_rate);
  }
  Server server([](const auto&) { return Server::ok(wav_of(11'025, 11'025)); });
  settings.engine = TextEngine::http;
  settings.http.url = server.url();
  for (const auto* language : {"", "sv-SE", "en"}) {
    ASSERT_TRUE(speak(settings, audio::SpokenText{.text = std::string("x") + language, .language = language}));
    EXPECT_EQ(heard.pieces.at(0).rate, 11'025U);
  }
}

TEST_F(ServiceTest, SpeaksWithoutCredentialsOnlyAsAFallback) {
  SpeechSettings settings;
  const audio::PollySpeech polly{R"({"Text": "Hello", "VoiceId": "Joanna"})", "us-east-1", {}};
  const audio::GoogleSpeech google{R"({"input": {"text": "Hello"}})", {}};
  EXPECT_TRUE(speak(settings, polly));
  EXPECT_TRUE(speak(settings, google));
  EXPECT_EQ(speak(settings, audio::PollySpeech{"{}", {}, {}}).error().message,
            "awsTTSParameters.Text: expected the text to speak");
  settings.fallback = false;
  EXPECT_EQ(speak(settings, polly).error().message, "tts.aws: access_key_id and secret_access_key are missing");
  EXPECT_EQ(speak(settings, google).error().message, "tts.google.credentials_file is missing");
}

TEST_F(ServiceTest, AsksPollyOnceForRequestsThatMeanTheSame) {
  Server server([](const auto&) { return Server::ok(pcm_of(16'000), "audio/pcm"); });
  const auto settings = with_polly(server.url());
  EXPECT_TRUE(speak(settings, audio::PollySpeech{R"({"Text": "a", "VoiceId": "b"})", {}, {}}));
  EXPECT_TRUE(speak(settings, audio::PollySpeech{R"({"VoiceId":"b","Text":"a"})", "eu-north-1", {}}));
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(heard.samples(), 16'000U);
  EXPECT_TRUE(speak(settings, audio::PollySpeech{R"({"Text": "a", "VoiceId": "c"})", {}, {}}));
  EXPECT_TRUE(speak(settings, audio::PollySpeech{R"({"Text": "a", "VoiceId": "b"})", "us-east-1", {}}));
  EXPECT_TRUE(
      speak(settings, audio::PollySpeech{R"({"Text": "a", "VoiceId": "b"})", {}, {std::chrono::hours(1), true}}));
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(ServiceTest, NothingIsKeptOfFailuresOrWithoutACache) {
  int asked = 0;
  Server server([&](const auto&) {
    ++asked;
    return asked == 1   ? Server::answer("401 No", "{}", "application/json")
           : asked == 2 ? Server::ok("", "audio/pcm")
           : asked == 3 ? Server::ok(pcm_of(1000) + "x", "audio/pcm")
                        : Server::ok(pcm_of(1000), "audio/pcm");
  });
  auto settings = with_polly(server.url());
  const audio::PollySpeech polly{R"({"Text": "a"})", {}, {}};
  for (int at = 0; at < 3; ++at) EXPECT_FALSE(speak(settings, polly));
  EXPECT_TRUE(std::filesystem::is_empty(folder.file("speech")));
  EXPECT_TRUE(speak(settings, polly));
  EXPECT_FALSE(std::filesystem::is_empty(folder.file("speech")));
  settings.cache = false;
  EXPECT_TRUE(speak(settings, polly));
  EXPECT_EQ(server.requests().size(), 5U);
}

TEST_F(ServiceTest, SpeaksWithoutAFolder) {
  auto service = SpeechService::make({}, "/proc/nowhere", nullptr, ops::Log(ops::Log::Format::text, ops::Level::error));
  ASSERT_TRUE(service);
  EXPECT_TRUE((*service)->make_engine()->speak(audio::SpokenText{.text = "Hello"}, heard.take()));
}

TEST(SpokenForm, OfPollyAndGoogle) {
  const auto polly = spoken_form(
      audio::PollySpeech{R"({"Text": "<speak>a</speak>", "TextType": "ssml", "LanguageCode": "sv-SE"})", {}, {}});
  ASSERT_TRUE(polly);
  EXPECT_EQ(polly->text, "<speak>a</speak>");
  EXPECT_TRUE(polly->ssml);
  EXPECT_EQ(polly->language, "sv-SE");
  const auto google = spoken_form(audio::GoogleSpeech{R"({"input": {"text": "b"}, "voice": {"languageCode": "de-DE"}})",
                                                      {std::chrono::seconds(7), true}});
  ASSERT_TRUE(google);
  EXPECT_EQ(google->text, "b");
  EXPECT_FALSE(google->ssml);
  EXPECT_EQ(google->language, "de-DE");
  EXPECT_EQ(google->caching.time_to_live, std::chrono::seconds(7));
  EXPECT_TRUE(google->caching.refresh);
  EXPECT_TRUE(spoken_form(audio::GoogleSpeech{R"({"input": {"ssml": "<speak/>"}})", {}})->ssml);
  EXPECT_FALSE(spoken_form(audio::GoogleSpeech{R"({"input": "b"})", {}}));
  EXPECT_FALSE(spoken_form(audio::GoogleSpeech{R"({"input": {}})", {}}));
  EXPECT_FALSE(spoken_form(audio::PollySpeech{R"({"Text": {}})", {}, {}}));
}

TEST(CanonicalJson, SortsMembersAtAllDepths) {
  EXPECT_EQ(canonical_json(boost::json::parse(R"({"b": [1, {"d": null, "c": "\u00e5\n"}], "a": true})")),
            "{\"a\":true,\"b\":[1,{\"c\":\"\xc3\xa5\\n\",\"d\":null}]}");
}

}  // namespace
}  // namespace rw::speech
