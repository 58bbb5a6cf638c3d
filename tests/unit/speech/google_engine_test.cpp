#include "speech/google_engine.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <boost/json/serialize.hpp>

#include "base/base64url.h"
#include "unit/speech/collected.h"
#include "unit/speech/engine_server.h"
#include "unit/speech/sample_audio.h"

namespace rw::speech {
namespace {

using Server = EngineServer;

std::string base64(std::string_view bytes) {
  std::string text = base64url(bytes);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::string audio_answer(std::string_view bytes) {
  return Server::ok(boost::json::serialize(boost::json::object{{"audioContent", base64(bytes)}}), "application/json");
}

/// A service account whose key is made for the test.
class Account {
 public:
  Account() : key_(EVP_RSA_gen(2048)) {}
  ~Account() { EVP_PKEY_free(key_); }
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  std::string json(const std::string& token_url) const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key_, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const auto length = BIO_get_mem_data(bio, &text);
    const std::string pem(text, static_cast<std::size_t>(length));
    BIO_free(bio);
    return boost::json::serialize(boost::json::object{{"type", "service_account"},
                                                      {"client_email", "a@b.example"},
                                                      {"private_key_id", "k1"},
                                                      {"private_key", pem},
                                                      {"token_uri", token_url}});
  }
  /// The claims of a token that this key signed.
  boost::json::object verified(const std::string& token) const {
    const auto last = token.rfind('.');
    const auto text = token.substr(0, last);
    const auto signature = from_base64url(token.substr(last + 1)).value_or("");
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key_);
    EXPECT_EQ(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                               reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    EVP_MD_CTX_free(context);
    const auto claims = from_base64url(text.substr(text.find('.') + 1));
    return boost::json::parse(claims.value_or("{}")).as_object();
  }

 private:
  EVP_PKEY* key_;
};

/// Google's two services, on one port.
class GoogleTest : public testing::Test {
 protected:
  GoogleTest()
      : server([this](const Server::Request& request) {
          const bool is_token = request.line.starts_with("POST /token ");
          const std::lock_guard lock(mutex);  // against the next exchange of the answers
          return is_token ? token_answer(++tokens) : answer(request);
        }) {
    tokens_source = *GoogleTokens::make(account.json(server.url() + "/token"), [this] { return now; });
    answer_by([](const auto&) { return audio_answer(wav_of(8000, 8000)); });
    answer_token_by([](int number) {
      return Server::ok(R"({"access_token": "t)" + std::to_string(number) + R"(", "expires_in": 3600})",
                        "application/json");
    });
  }
  Result<void> speak(const std::string& parameters) {
    GoogleSettings settings;
    settings.endpoint = server.url();
    heard = {};
    const auto engine = make_google_engine(settings, tokens_source, {});
    auto spoken = engine->speak(audio::GoogleSpeech{parameters, {}}, heard.take());
    const std::lock_guard lock(mutex);  // the server has done with what the answer was made of
    return spoken;
  }
  std::string problem(const std::string& parameters = R"({"input": {"text": "x"}})") {
    const auto spoken = speak(parameters);
    return spoken ? "" : spoken.error().message;
  }

  void answer_by(Server::Answer with) {
    const std::lock_guard lock(mutex);
    answer = std::move(with);
  }
  void answer_token_by(std::function<std::string(int)> with) {
    const std::lock_guard lock(mutex);
    token_answer = std::move(with);
  }

  std::mutex mutex;
  Account account;
  std::int64_t now = 1'700'000'000;
  std::atomic<int> tokens{0};
  Server::Answer answer;
  std::function<std::string(int)> token_answer;
  Server server;
  std::shared_ptr<GoogleTokens> tokens_source;
  Collected heard;
};

TEST_F(GoogleTest, PassesTheBodyOnWithATokenOfTheAccount) {
  ASSERT_EQ(problem(R"({"input": {"text": "Hej"}, "voice": {"languageCode": "sv-SE"}, "extra": [1]})"), "");
  EXPECT_NEAR(heard.seconds(), 1, 0.01);
  const auto all = server.requests();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].headers.at("content-type"), "application/x-www-form-urlencoded");
  const std::string grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(all[0].body.starts_with(grant));
  const auto claims = account.verified(all[0].body.substr(grant.size()));
  EXPECT_EQ(claims.at("iss"), "a@b.example");
  EXPECT_EQ(claims.at("aud").as_string(), server.url() + "/token");
  EXPECT_EQ(claims.at("scope"), "https://www.googleapis.com/auth/cloud-platform");
  EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 3600);
  EXPECT_EQ(all[1].line, "POST /v1/text:synthesize HTTP/1.1");
  EXPECT_EQ(all[1].headers.at("authorization"), "Bearer t1");
  EXPECT_EQ(all[1].json(),
            (boost::json::object{{"input", {{"text", "Hej"}}},
                                 {"voice", {{"languageCode", "sv-SE"}}},
                                 {"extra", {1}},
                                 {"audioConfig", {{"audioEncoding", "LINEAR16"}, {"sampleRateHertz", 8000}}}}));
}

TEST_F(GoogleTest, KeepsTheTokenUntilShortlyBeforeItExpires) {
  ASSERT_EQ(problem(), "");
  now += 3500;
  ASSERT_EQ(problem(), "");
  EXPECT_EQ(tokens, 1);
  now += 50;
  ASSERT_EQ(problem(), "");
  EXPECT_EQ(tokens, 2);
}

TEST_F(GoogleTest, FetchesANewTokenOnceWhenItIsRefused) {
  const auto refused = Server::answer(
      "401 No", R"({"error": {"code": 401, "message": "bad token", "status": "UNAUTHENTICATED"}})", "application/json");
  answer_by([&](const Server::Request& request) {
    return request.headers.at("authorization") == "Bearer t1" ? refused : audio_answer(wav_of(8000));
  });
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(tokens, 2);
  answer_by([&](const auto&) { return refused; });
  EXPECT_EQ(problem(), "Google: 401 UNAUTHENTICATED: bad token");
  EXPECT_EQ(tokens, 3);
}

TEST_F(GoogleTest, TakesAllEncodings) {
  const std::vector<std::pair<std::string, std::string>> encodings{
      {R"("LINEAR16", "sampleRateHertz": 16000)", wav_of(16'000)},
      {R"("PCM", "sampleRateHertz": 24000)", pcm_of(24'000)},
      {R"("MP3")", mp3_of(16'000)},
      {R"("OGG_OPUS")", ogg_of(16'000)},
      {R"("MULAW")", encoded(SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 8000)},
      {R"("ALAW")", encoded(SF_FORMAT_WAV | SF_FORMAT_ALAW, 8000, 8000)},
      {R"("MULAW", "sampleRateHertz": 8000)", std::string(8000, '\x33')},
      {R"("ALAW")", std::string(8000, '\x33')}};
  for (const auto& [encoding, bytes] : encodings) {
    answer_by([&bytes = bytes](const auto&) { return audio_answer(bytes); });
    EXPECT_EQ(problem(R"({"input": {"ssml": "<speak>x</speak>"}, "audioConfig": {"audioEncoding": )" + encoding + "}}"),
              "");
    EXPECT_NEAR(heard.seconds(), 1, 0.2) << encoding;
  }
}

TEST_F(GoogleTest, TellsWhatWentWrong) {
  const auto wav = wav_of(8000);
  const std::vector<std::pair<std::string, std::string>> faults{
      {Server::answer("400 Bad", R"({"error": {"message": "no such voice", "status": "INVALID_ARGUMENT"}})",
                      "application/json"),
       "Google: 400 INVALID_ARGUMENT: no such voice"},
      {Server::ok("", "application/json"), "Google: the answer is no JSON object"},
      {Server::ok("{}", "application/json"), "Google: audioContent: missing"},
      {Server::ok(R"({"audioContent": 5})", "application/json"), "Google: audioContent: missing"},
      {Server::ok(R"({"audioContent": ""})", "application/json"), "Google: the audio is empty"},
      {Server::ok(R"({"audioContent": "UklGR"})", "application/json"), "Google: audioContent: no base64"},
      {Server::ok(R"({"audioContent": "????"})", "application/json"), "Google: audioContent: no base64"},
      {Server::ok(R"({"audioContent": "UklG)", "application/json"), "Google: the answer is no JSON object"},
      {audio_answer(wav.substr(0, 9000)), "Google: cut off: "},
      {audio_answer(wav_of(0)), "Google: contains no audio"}};
  for (const auto& [bytes, expected] : faults) {
    answer_by([&bytes = bytes](const auto&) { return bytes; });
    EXPECT_TRUE(problem().starts_with(expected)) << problem();
  }
  EXPECT_EQ(problem("[]"), "googleTTSParameters: expected an object");
  EXPECT_EQ(problem("{}"), "googleTTSParameters.input: expected an object");
}

TEST_F(GoogleTest, TellsWhyThereIsNoToken) {
  answer_token_by([](int number) {
    return number == 1 ? Server::answer("400 Bad", R"({"error": "invalid_grant", "error_description": "Invalid JWT"})",
                                        "application/json")
                       : Server::ok(number == 2 ? R"({"access_token": "a\r\nb: c"})" : "no", "application/json");
  });
  EXPECT_EQ(problem(), "tts.google: no access token: 400 invalid_grant Invalid JWT");
  EXPECT_TRUE(problem().starts_with("tts.google: no access token in the answer"));
  EXPECT_TRUE(problem().starts_with("tts.google: no access token: the answer is no JSON"));
}

TEST_F(GoogleTest, RefusesAKeyFileThatIsNone) {
  const auto why = [](const std::string& text) {
    const auto made = GoogleTokens::make(text);
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(why("x"), "expected the JSON of a service account's key file");
  EXPECT_EQ(why("{}"), "client_email: missing");
  EXPECT_EQ(why(R"({"client_email": "a", "private_key": "x"})"), "private_key: expected an RSA key in PEM");
  EXPECT_EQ(why(R"({"client_email": "a", "token_uri": "ftp://x"})"), "token_uri: expected an http:// or https:// URL");
}

}  // namespace
}  // namespace rw::speech
