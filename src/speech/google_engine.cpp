#include "speech/google_engine.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>
#include <variant>

#include "base/base64url.h"
#include "base/json_fields.h"

namespace rw::speech {
namespace {

constexpr std::uint32_t telephone_rate = 8000;

/// {"error": {"code": 400, "message": "…", "status": "INVALID_ARGUMENT"}}
std::string explain(const std::string& body) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(body, error);
  const auto* inner = !error && parsed.is_object() ? parsed.get_object().if_contains("error") : nullptr;
  if (inner == nullptr || !inner->is_object()) return excerpt(body);
  JsonFields fields(inner->get_object());
  return excerpt(fields.text("status").value_or("") + ": " + fields.text("message").value_or(""));
}

/// RFC 4648 section 4. Nothing if it is something else, or breaks off.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string other(text);
  std::ranges::replace(other, '+', '-');
  std::ranges::replace(other, '/', '_');
  return from_base64url(other);
}

/// What the bytes are if they have no header: Google sends LINEAR16, MULAW and ALAW with that of a WAV file, PCM
/// without.
std::optional<RawAudio> raw_audio(const boost::json::object& asked) {
  const auto* config = asked.if_contains("audioConfig");
  if (config == nullptr || !config->is_object()) return std::nullopt;
  JsonFields fields(config->get_object());
  const auto encoding = fields.text("audioEncoding").value_or("");
  const auto rate = static_cast<std::uint32_t>(
      fields.number("sampleRateHertz", audio::min_rate, audio::max_rate).value_or(telephone_rate));
  if (encoding == "LINEAR16" || encoding == "PCM") return RawAudio{RawAudio::Coding::linear, rate};
  if (encoding == "MULAW") return RawAudio{RawAudio::Coding::mu_law, rate};
  if (encoding == "ALAW") return RawAudio{RawAudio::Coding::a_law, rate};
  return std::nullopt;
}

class GoogleEngine final : public SpeechEngine {
 public:
  GoogleEngine(GoogleSettings settings, std::shared_ptr<GoogleTokens> tokens, FetchOptions options)
      : settings_(std::move(settings)), tokens_(std::move(tokens)), options_(options) {}

  Result<void> speak(const audio::SpeechRequest& request, const Take& take) override {
    const auto* spoken = std::get_if<audio::GoogleSpeech>(&request);
    if (spoken == nullptr) return fail("Google takes its own requests only");
    const auto body = google_body(*spoken);
    if (!body) return tl::unexpected(body.error());
    const auto answer = ask(boost::json::serialize(*body));
    if (!answer) return tl::unexpected(answer.error());
    Pieces pieces(take);
    if (auto decoded = decode_google_answer(*answer, *body, pieces); !decoded)
      return fail("Google: " + decoded.error().message);
    return pieces.finish();
  }

 private:
  Result<std::string> ask(const std::string& body) {
    constexpr int attempts = 2;  // a token may have been withdrawn
    for (int attempt = 1;; ++attempt) {
      const auto token = tokens_->token(transfers_, options_);
      if (!token) return tl::unexpected(token.error());
      auto request = speech_post(settings_.endpoint + "/v1/text:synthesize", body, options_);
      request.headers.push_back("Authorization: Bearer " + *token);
      auto response = transfers_.run(request);
      if (!response) return fail("Google: " + response.error().message);
      if (response->status == 200) return std::move(response->body);
      if (response->status == 401) tokens_->forget(*token);
      if (response->status != 401 || attempt == attempts)
        return fail("Google: " + std::to_string(response->status) + " " + explain(response->body));
    }
  }

  GoogleSettings settings_;
  std::shared_ptr<GoogleTokens> tokens_;
  FetchOptions options_;
  http::Transfers transfers_;
};

}  // namespace

Result<boost::json::object> google_body(const audio::GoogleSpeech& spoken) {
  boost::system::error_code error;
  auto parsed = boost::json::parse(spoken.parameters, error);
  if (error || !parsed.is_object()) return fail("googleTTSParameters: expected an object");
  auto body = std::move(parsed.get_object());
  if (const auto* input = body.if_contains("input"); input == nullptr || !input->is_object())
    return fail("googleTTSParameters.input: expected an object");
  auto& config = body["audioConfig"];
  if (config.is_null()) config = boost::json::object();
  if (!config.is_object()) return fail("googleTTSParameters.audioConfig: expected an object");
  auto& members = config.get_object();
  if (const auto* encoding = members.if_contains("audioEncoding");
      encoding == nullptr || encoding->is_null() || *encoding == "" || *encoding == "AUDIO_ENCODING_UNSPECIFIED") {
    members["audioEncoding"] = "LINEAR16";
    if (!members.contains("sampleRateHertz")) members["sampleRateHertz"] = telephone_rate;
  }
  return body;
}

Result<void> decode_google_answer(const std::string& answer, const boost::json::object& asked, Pieces& pieces) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(answer, error);
  if (error || !parsed.is_object()) return fail("the answer is no JSON object");
  const auto* content = parsed.get_object().if_contains("audioContent");
  if (content == nullptr || !content->is_string()) return fail("audioContent: missing in the answer");
  const auto bytes = from_base64(content->get_string());
  if (!bytes) return fail("audioContent: no base64, or it breaks off");
  SpeechDecoder decoder(raw_audio(asked), pieces);
  constexpr std::size_t step = 32 * 1024;  // so that the first piece needs no decoding of all
  for (std::size_t at = 0; at < bytes->size() && pieces.wanted(); at += step) {
    const auto part = std::string_view(*bytes).substr(at, step);
    if (auto fed = decoder.feed(part); !fed) return fed;
  }
  return pieces.wanted() ? decoder.finish() : Result<void>{};
}

std::unique_ptr<SpeechEngine> make_google_engine(GoogleSettings settings, std::shared_ptr<GoogleTokens> tokens,
                                                 FetchOptions options) {
  return std::make_unique<GoogleEngine>(std::move(settings), std::move(tokens), options);
}

}  // namespace rw::speech
