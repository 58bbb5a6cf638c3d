#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <ctime>
#include <fstream>
#include <map>
#include <mutex>

#include "audio/wav_file.h"
#include "base/base64url.h"
#include "speech/child_process.h"
#include "speech/espeak_engine.h"
#include "speech/google_engine.h"
#include "speech/http_engine.h"
#include "speech/polly_engine.h"
#include "support/http_peer.h"
#include "support/rsa_keys.h"
#include "support/scratch_folder.h"

namespace rw::speech {
namespace {

using http::Answer;
using testing_support::answer;

constexpr const char* wav_type = "audio/wav";
constexpr const char* raw_type = "application/octet-stream";

audio::Samples tone(std::uint32_t rate = 16000, std::size_t count = 16000) {
  audio::Samples samples{std::vector<std::int16_t>(count), rate};
  for (std::size_t at = 0; at < count; ++at)
    samples.samples[at] = static_cast<std::int16_t>(8000 * std::sin(0.2 * static_cast<double>(at)));
  return samples;
}

std::string raw(const audio::Samples& samples) {
  std::string bytes;
  for (const auto sample : samples.samples) {
    bytes += static_cast<char>(sample & 0xff);
    bytes += static_cast<char>(sample >> 8);
  }
  return bytes;
}

Answer audio_answer(std::string body, const char* type = wav_type) {
  return answer(200, std::move(body), {{"Content-Type", type}});
}

struct Heard {
  Result<void> result;
  audio::Samples whole;
  int pieces = 0;

  /// It failed, with that in the error, before anything was heard.
  void expect_nothing_but(const std::string& error) const {
    expect_failed(error);
    EXPECT_EQ(pieces, 0);
  }
  void expect_failed(const std::string& error) const {
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find(error), std::string::npos) << result.error().message;
  }
  /// It is what `tone()` makes, but for rounding.
  void expect_tone(const audio::Samples& expected = tone()) const {
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(whole.rate, expected.rate);
    ASSERT_EQ(whole.samples.size(), expected.samples.size());
    for (std::size_t at = 0; at < expected.samples.size(); ++at)
      ASSERT_NEAR(whole.samples[at], expected.samples[at], 1) << at;
  }
};

Heard listen(SpeechEngine& engine, const audio::SpeechRequest& request) {
  Heard heard;
  heard.result = engine.speak(request, [&](const audio::Samples& piece) {
    heard.whole.rate = piece.rate;
    heard.whole.samples.insert(heard.whole.samples.end(), piece.samples.begin(), piece.samples.end());
    ++heard.pieces;
    return true;
  });
  return heard;
}

/// A server that is asked by POST, and what it was asked.
class Served : public testing::Test {
 protected:
  explicit Served(const std::vector<std::string>& paths) : peer_(router(paths)) {}

  /// The answers of a path, one after the other; the last one holds.
  void answers(const std::string& path, std::vector<Answer> all) {
    const std::lock_guard lock(mutex_);
    answers_[path] = std::move(all);
  }
  std::vector<http::IncomingRequest> requests(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return requests_[path];
  }
  static boost::json::object body_of(const http::IncomingRequest& request) {
    return boost::json::parse(request.body).as_object();
  }

 private:
  http::Router router(const std::vector<std::string>& paths) {
    http::Router router;
    for (const auto& path : paths) {
      router.add("POST", path, [this, path](const http::IncomingRequest& request, const http::Responder& respond) {
        const std::lock_guard lock(mutex_);
        requests_[path].push_back(request);
        auto& all = answers_[path];
        respond(all.empty() ? answer(404) : all.front());
        if (all.size() > 1) all.erase(all.begin());
      });
    }
    return router;
  }

  std::mutex mutex_;
  std::map<std::string, std::vector<Answer>> answers_;
  std::map<std::string, std::vector<http::IncomingRequest>> requests_;

 protected:
  testing_support::HttpPeer peer_;
};

class HttpEngineTest : public Served {
 protected:
  static constexpr const char* path = "/v1/audio/speech";
  HttpEngineTest() : Served({path}) { settings_.url = peer_.url(); }

  Heard say(const std::string& text, const std::string& voice = {}) {
    const auto engine = make_http_engine(settings_, {});
    return listen(*engine, audio::SpokenText{.text = text, .voice = voice});
  }
  HttpSpeechSettings settings_;
};

TEST_F(HttpEngineTest, AsksForTheSentence) {
  settings_.model = "small";
  settings_.api_key = "secret";
  settings_.speed = 1.5;
  answers(path, {audio_answer(audio::wav_bytes(tone()))});
  say("Hej på dig!", "alva").expect_tone();
  const auto asked = requests(path);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].header("Authorization"), "Bearer secret");
  EXPECT_EQ(asked[0].header("Content-Type"), "application/json");
  EXPECT_EQ(body_of(asked[0]), (boost::json::object{{"input", "Hej på dig!"},
                                                    {"response_format", "wav"},
                                                    {"model", "small"},
                                                    {"voice", "alva"},
                                                    {"speed", 1.5}}));
}

TEST_F(HttpEngineTest, LeavesOutWhatIsNotSet) {
  answers(path, {audio_answer(audio::wav_bytes(tone()))});
  say("Hello").expect_tone();
  EXPECT_FALSE(requests(path)[0].header("Authorization"));
  EXPECT_EQ(body_of(requests(path)[0]), (boost::json::object{{"input", "Hello"}, {"response_format", "wav"}}));
}

TEST_F(HttpEngineTest, FindsThePathForEveryFormOfItsUrl) {
  answers(path, {audio_answer(audio::wav_bytes(tone()))});
  for (const auto* form : {"", "/v1", "/v1/audio/speech"}) {
    settings_.url = peer_.url(form);
    say("Hello").expect_tone();
  }
  EXPECT_EQ(requests(path).size(), 3U);
}

TEST_F(HttpEngineTest, AsksForEachSentence) {
  answers(path, {audio_answer(audio::wav_bytes(tone(16000, 4000)))});
  const auto heard = say("This sentence is long enough to stand alone. And this one is long enough to follow it.");
  ASSERT_TRUE(heard.result);
  EXPECT_EQ(heard.whole.samples.size(), 8000U);
  ASSERT_EQ(requests(path).size(), 2U);
  EXPECT_EQ(body_of(requests(path)[0])["input"], "This sentence is long enough to stand alone.");
}

TEST_F(HttpEngineTest, TakesPcmAtTheConfiguredRate) {
  settings_.format = "pcm";
  settings_.pcm_rate = 22050;
  answers(path, {audio_answer(raw(tone()), raw_type)});
  say("Hello").expect_tone(tone(22050));
}

TEST_F(HttpEngineTest, SaysWhyItWasRefused) {
  answers(path, {answer(401, R"({"error":{"message":"no such key"}})", {{"Content-Type", "application/json"}})});
  say("Hello").expect_nothing_but("tts.http: 401 no such key");
}

TEST_F(HttpEngineTest, RefusesAnEmptyAnswer) {
  for (const auto* format : {"wav", "pcm"}) {
    settings_.format = format;
    answers(path, {audio_answer("")});
    say("Hello").expect_nothing_but("the audio is empty");
  }
}

TEST_F(HttpEngineTest, SaysThatAWavFileBreaksOff) {
  const auto whole = audio::wav_bytes(tone());
  for (const std::size_t size : {std::size_t{20}, std::size_t{44}, whole.size() / 2, whole.size() - 2}) {
    answers(path, {audio_answer(whole.substr(0, size))});
    say("Hello").expect_failed("tts.http: ");
  }
}

TEST_F(HttpEngineTest, SaysThatPcmBreaksOff) {
  settings_.format = "pcm";
  answers(path, {audio_answer(raw(tone()) + "x", raw_type)});
  say("Hello").expect_failed("breaks off");
}

TEST_F(HttpEngineTest, TakesNoTextForAudio) {
  settings_.format = "pcm";  // of which any bytes would be some
  for (const auto* type : {"text/html; charset=utf-8", "application/json", "Text/Plain"}) {
    answers(path, {audio_answer("<html>please log in</html>", type)});
    say("Hello").expect_nothing_but("the answer is no audio but " + std::string(type));
  }
}

TEST_F(HttpEngineTest, TakesNothingElseForAWavFile) {
  answers(path, {audio_answer(std::string(5000, 'x'))});
  say("Hello").expect_nothing_but("tts.http: ");
}

TEST_F(HttpEngineTest, StopsAtTheSentenceThatFails) {
  answers(path, {audio_answer(audio::wav_bytes(tone())), answer(500, "out of memory")});
  const auto heard = say("This sentence is long enough to stand alone. And this one is long enough to follow it.");
  heard.expect_failed("tts.http: 500 out of memory");
}

TEST_F(HttpEngineTest, AsksNoMoreWhenNoMoreIsWanted) {
  answers(path, {audio_answer(audio::wav_bytes(tone()))});
  const auto engine = make_http_engine(settings_, {});
  const auto spoken = engine->speak(
      audio::SpokenText{.text = "This sentence is long enough to stand alone. And this one is long enough as well."},
      [](const audio::Samples&) { return false; });
  EXPECT_TRUE(spoken);
  EXPECT_EQ(requests(path).size(), 1U);
}

class PollyEngineTest : public Served {
 protected:
  static constexpr const char* path = "/v1/speech";
  PollyEngineTest() : Served({path}) {
    settings_.region = "eu-north-1";
    settings_.credentials = {"AKIDEXAMPLE", "the secret", ""};
    settings_.endpoint = peer_.url();
  }
  Heard say(const std::string& parameters, const std::string& region = {}) {
    const auto engine = make_polly_engine(settings_, {});
    return listen(*engine, audio::PollySpeech{.parameters = parameters, .region = region});
  }
  /// The Authorization header that the request, as it came, should have.
  std::string authorization(const http::IncomingRequest& request, const std::string& region) const {
    auth::SignedRequest to_sign{"POST", request.path, {}, {}, auth::payload_hash(request.body)};
    for (const auto* name : {"content-type", "host", "x-amz-date", "x-amz-security-token"}) {
      if (const auto value = request.header(name)) to_sign.headers.emplace_back(name, *value);
    }
    const std::string date(request.header("x-amz-date").value_or(""));
    std::tm parts{};
    EXPECT_NE(::strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &parts), nullptr) << date;
    const auto signature = auth::signature(to_sign, settings_.credentials, {region, "polly", ::timegm(&parts)});
    return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" + date.substr(0, 8) + "/" + region +
           "/polly/aws4_request, SignedHeaders=" + auth::signed_header_names(to_sign) + ", Signature=" + signature;
  }
  PollySettings settings_;
};

constexpr const char* phrase = R"({"Text":"Hej","VoiceId":"Elin"})";

TEST_F(PollyEngineTest, SignsWhatItSends) {
  answers(path, {audio_answer(raw(tone()), "audio/pcm")});
  say(phrase).expect_tone();
  const auto asked = requests(path);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].header("Authorization"), authorization(asked[0], "eu-north-1"));
  EXPECT_EQ(asked[0].header("Content-Type"), "application/json");
  EXPECT_FALSE(asked[0].header("x-amz-security-token"));
  EXPECT_EQ(
      body_of(asked[0]),
      (boost::json::object{{"Text", "Hej"}, {"VoiceId", "Elin"}, {"OutputFormat", "pcm"}, {"SampleRate", "16000"}}));
}

TEST_F(PollyEngineTest, SignsTheSessionTokenAndTheRegionOfThePhrase) {
  settings_.credentials.session_token = "temporary/+=";
  answers(path, {audio_answer(raw(tone()), "audio/pcm")});
  say(phrase, "us-east-1").expect_tone();
  const auto asked = requests(path);
  EXPECT_EQ(asked[0].header("x-amz-security-token"), "temporary/+=");
  EXPECT_EQ(asked[0].header("Authorization"), authorization(asked[0], "us-east-1"));
}

TEST_F(PollyEngineTest, TakesPcmAtTheRateThatWasAsked) {
  answers(path, {audio_answer(raw(tone()), "audio/pcm")});
  say(R"({"Text":"Hej","VoiceId":"Elin","OutputFormat":"pcm","SampleRate":8000})").expect_tone(tone(8000));
  EXPECT_EQ(body_of(requests(path)[0])["SampleRate"], "8000") << "a string, as Polly wants it";
}

TEST_F(PollyEngineTest, SaysWhyItWasRefused) {
  answers(path, {answer(400, R"({"message":"Invalid SSML request"})",
                        {{"x-amzn-ErrorType", "InvalidSsmlException:http://internal/"}})});
  say(phrase).expect_nothing_but("Polly: 400 InvalidSsmlException: Invalid SSML request");
  answers(path, {answer(401)});
  say(phrase).expect_nothing_but("Polly: 401");
}

TEST_F(PollyEngineTest, RefusesAnswersThatAreNotTheAudio) {
  answers(path, {audio_answer("", "audio/pcm")});
  say(phrase).expect_nothing_but("Polly: the audio is empty");
  answers(path, {audio_answer("{}", "application/json")});
  say(phrase).expect_nothing_but("Polly: the answer is no audio");
  answers(path, {audio_answer(raw(tone()).substr(1), "audio/pcm")});
  say(phrase).expect_failed("Polly: the audio breaks off");
  answers(path, {audio_answer(std::string(5000, 'x'), "audio/mpeg")});
  say(R"({"Text":"Hej","VoiceId":"Elin","OutputFormat":"mp3"})").expect_nothing_but("Polly: ");
}

TEST_F(PollyEngineTest, AsksNothingForAPhraseThatIsWrong) {
  say("[]").expect_nothing_but("awsTTSParameters");
  say(R"({"VoiceId":"Elin"})").expect_nothing_but("Text");
  say(R"({"Text":"Hej","OutputFormat":"json"})").expect_nothing_but("OutputFormat");
  say(phrase, "evil.example.com/").expect_nothing_but("region");
  settings_.region.clear();
  say(phrase).expect_nothing_but("region: missing");
  EXPECT_TRUE(requests(path).empty());
}

class GoogleEngineTest : public Served {
 protected:
  static constexpr const char* path = "/v1/text:synthesize";
  static constexpr const char* token_path = "/token";
  GoogleEngineTest() : Served({path, token_path}) {
    static const testing_support::RsaKeys keys;
    const boost::json::object account{{"client_email", "ringwright@example.com"},
                                      {"private_key", keys.private_key},
                                      {"token_uri", peer_.url(token_path)}};
    settings_.credentials = boost::json::serialize(account);
    settings_.endpoint = peer_.url();
    tokens_ = std::move(*GoogleTokens::make(settings_.credentials));
    answers(token_path, {answer(200, R"({"access_token":"one","expires_in":3600})"),
                         answer(200, R"({"access_token":"two","expires_in":3600})")});
  }
  Heard say(const std::string& parameters = R"({"input":{"text":"Hej"},"voice":{"languageCode":"sv-SE"}})") {
    const auto engine = make_google_engine(settings_, tokens_, {});
    return listen(*engine, audio::GoogleSpeech{.parameters = parameters});
  }
  static std::string base64(std::string_view bytes) {
    auto text = base64url(bytes);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    return text + std::string((4 - text.size() % 4) % 4, '=');
  }
  static Answer content(std::string_view text) {
    return audio_answer(boost::json::serialize(boost::json::object{{"audioContent", text}}), "application/json");
  }
  GoogleSettings settings_;
  std::shared_ptr<GoogleTokens> tokens_;
};

TEST_F(GoogleEngineTest, AsksWithATokenAndTakesTheWavFile) {
  answers(path, {content(base64(audio::wav_bytes(tone(8000))))});
  say().expect_tone(tone(8000));
  const auto asked = requests(path);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].header("Authorization"), "Bearer one");
  EXPECT_EQ(body_of(asked[0]), boost::json::parse(R"({"input":{"text":"Hej"},"voice":{"languageCode":"sv-SE"},
      "audioConfig":{"audioEncoding":"LINEAR16","sampleRateHertz":8000}})")
                                   .as_object());
}

TEST_F(GoogleEngineTest, GetsATokenOnce) {
  answers(path, {content(base64(audio::wav_bytes(tone(8000))))});
  say().expect_tone(tone(8000));
  say().expect_tone(tone(8000));
  const auto asked = requests(token_path);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_TRUE(asked[0].body.starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="));
}

TEST_F(GoogleEngineTest, TakesPcmWithoutAHeader) {
  answers(path, {content(base64(raw(tone(24000))))});
  say(R"({"input":{"text":"Hej"},"audioConfig":{"audioEncoding":"PCM","sampleRateHertz":24000}})")
      .expect_tone(tone(24000));
}

TEST_F(GoogleEngineTest, GetsAnotherTokenWhenItsTokenIsRefused) {
  answers(path, {answer(401), content(base64(audio::wav_bytes(tone(8000))))});
  say().expect_tone(tone(8000));
  EXPECT_EQ(requests(path).back().header("Authorization"), "Bearer two");
}

TEST_F(GoogleEngineTest, SaysWhyItWasRefusedForGood) {
  answers(path, {answer(401, R"({"error":{"code":401,"message":"no","status":"UNAUTHENTICATED"}})")});
  say().expect_nothing_but("Google: 401 UNAUTHENTICATED: no");
  EXPECT_EQ(requests(path).size(), 2U);
}

TEST_F(GoogleEngineTest, SaysWhyItGotNoToken) {
  answers(token_path, {answer(400, R"({"error":"invalid_grant","error_description":"no such account"})")});
  say().expect_nothing_but("tts.google: no access token: 400 invalid_grant no such account");
  answers(token_path, {answer(200, "")});
  say().expect_nothing_but("tts.google: no access token");
  EXPECT_TRUE(requests(path).empty());
}

TEST_F(GoogleEngineTest, RefusesAnAnswerWithoutAudio) {
  answers(path, {answer(200)});
  say().expect_nothing_but("Google: the answer is no JSON object");
  answers(path, {answer(200, "{}")});
  say().expect_nothing_but("Google: audioContent: missing");
  answers(path, {content("")});
  say().expect_nothing_but("Google: the audio is empty");
}

TEST_F(GoogleEngineTest, RefusesBrokenBase64) {
  const auto whole = base64(audio::wav_bytes(tone(8000)));
  for (const auto& broken : {whole.substr(0, whole.size() - 5), "!" + whole.substr(1), std::string("===="),
                             "AAAA====" + whole, "A===" + whole, std::string("AAAAA===")}) {
    answers(path, {content(broken)});
    say().expect_nothing_but("Google: ");
  }
}

TEST_F(GoogleEngineTest, SaysThatAWavFileBreaksOff) {
  answers(path, {content(base64(audio::wav_bytes(tone(8000)).substr(0, 9000)))});
  say().expect_failed("Google: ");
}

TEST_F(GoogleEngineTest, AsksNothingForAPhraseThatIsWrong) {
  say("[]").expect_nothing_but("googleTTSParameters");
  say(R"({"voice":{}})").expect_nothing_but("input");
  say(R"({"input":{},"audioConfig":7})").expect_nothing_but("audioConfig");
  EXPECT_TRUE(requests(path).empty());
}

class EspeakTest : public testing::Test {
 protected:
  /// A program in place of espeak-ng, which leaves its process's id.
  EspeakOptions program(const std::string& script) {
    const auto path = scratch_.file("program");
    std::ofstream(path) << "#!/bin/sh\necho $$ > " << scratch_.file("id") << "\n" << script << "\n";
    ::chmod(path.c_str(), 0700);
    return {.program = path};
  }
  void expect_gone() const {
    pid_t id = 0;
    std::ifstream(scratch_.file("id")) >> id;
    ASSERT_GT(id, 0);
    EXPECT_EQ(::kill(id, 0), -1);
    EXPECT_EQ(errno, ESRCH);
  }
  static Heard say(const EspeakOptions& options, const audio::SpokenText& text = {.text = "Hej"}) {
    return listen(*make_espeak_engine(options), text);
  }
  testing_support::ScratchFolder scratch_;
};

TEST_F(EspeakTest, SpeaksSwedish) {
  if (!is_installed("espeak-ng")) GTEST_SKIP() << "espeak-ng is not installed";
  const auto heard = say({}, {.text = "Hej", .language = "sv-SE"});
  ASSERT_TRUE(heard.result) << heard.result.error().message;
  EXPECT_GT(heard.whole.samples.size(), heard.whole.rate / 5);
  EXPECT_GT(*std::ranges::max_element(heard.whole.samples), 1000);
}

TEST_F(EspeakTest, SaysThatItHasNoSuchVoice) {
  if (!is_installed("espeak-ng")) GTEST_SKIP() << "espeak-ng is not installed";
  say({}, {.text = "Hej", .voice = "nobody"}).expect_nothing_but("espeak-ng has no voice \"nobody\"");
}

TEST_F(EspeakTest, TakesNoOptionOrPathForAVoiceOrLanguage) {
  const auto options = program("exit 0");
  for (const auto* name : {"-w/etc/x", "--path=/", "../x", "a b", "mb/mb-sw1"}) {
    say(options, {.text = "Hej", .voice = name}).expect_nothing_but("voice");
    say(options, {.text = "Hej", .language = name}).expect_nothing_but("language");
  }
  EXPECT_FALSE(std::filesystem::exists(scratch_.file("id"))) << "it was started";
}

TEST_F(EspeakTest, NamesThePackageThatIsMissing) {
  say({.program = scratch_.file("none")}).expect_nothing_but("install the package espeak-ng");
}

TEST_F(EspeakTest, EndsWhenItIsGivenUp) {
  std::ofstream(scratch_.file("a.wav"), std::ios::binary) << audio::wav_bytes(tone());
  std::atomic<bool> cancel{false};
  auto options = program("cat " + scratch_.file("a.wav") + "\nexec sleep 600");
  options.cancel = &cancel;
  const auto spoken = make_espeak_engine(options)->speak(audio::SpokenText{.text = "Hej"}, [&](const audio::Samples&) {
    cancel = true;
    return true;
  });
  ASSERT_FALSE(spoken);
  EXPECT_NE(spoken.error().message.find("given up"), std::string::npos) << spoken.error().message;
  expect_gone();
}

TEST_F(EspeakTest, EndsWhenNoMoreIsWanted) {
  std::ofstream(scratch_.file("a.wav"), std::ios::binary) << audio::wav_bytes(tone());
  const auto options = program("cat " + scratch_.file("a.wav") + "\nexec sleep 600");
  EXPECT_TRUE(make_espeak_engine(options)->speak(audio::SpokenText{.text = "Hej"},
                                                 [](const audio::Samples&) { return false; }));
  expect_gone();
}

TEST_F(EspeakTest, SaysThatTheProgramFailed) {
  say(program("echo no dictionary >&2; exit 3")).expect_nothing_but("exit status 3 no dictionary");
  say(program("exit 0")).expect_nothing_but("the audio is empty");
  say(program("kill -9 $$")).expect_nothing_but("exit status 137");
  expect_gone();
}

}  // namespace
}  // namespace rw::speech
