#include "speech/http_engine.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/json_text.h"
#include "speech/text_engine.h"

namespace rw::speech {
namespace {

/// {"error": {"message": "…"}}, {"error": "…"}, {"message": "…"}, {"detail": "…"}, or the text itself.
std::string explain(const http::TransferResponse& response) {
  const auto body = read_json_object(response.body);
  if (body) {
    const auto* object = &*body;
    if (const auto* inner = object->if_contains("error"); inner != nullptr && inner->is_object())
      object = &inner->get_object();
    for (const auto* name : {"message", "error", "detail"}) {
      const auto* text = object->if_contains(name);
      if (text != nullptr && text->is_string()) return excerpt(text->get_string());
    }
  }
  return excerpt(response.body);
}

std::string speech_url(const std::string& url) {
  constexpr std::string_view path = "/v1/audio/speech";
  if (url.ends_with(path)) return url;
  return url.ends_with("/v1") ? url + "/audio/speech" : url + std::string(path);
}

class HttpEngine final : public TextEngine {
 public:
  HttpEngine(HttpSpeechSettings settings, FetchOptions options)
      : settings_(std::move(settings)), options_(options), url_(speech_url(settings_.url)) {}

 private:
  Result<void> say(std::string_view sentence, const audio::SpokenText& spoken, Pieces& pieces) override {
    boost::json::object body{{"input", sentence}, {"response_format", settings_.format}};
    if (!settings_.model.empty()) body["model"] = settings_.model;
    if (const auto& name = spoken.voice.empty() ? settings_.voice : spoken.voice; !name.empty()) body["voice"] = name;
    if (settings_.speed) body["speed"] = *settings_.speed;
    auto request = speech_post(url_, boost::json::serialize(body), options_);
    if (!settings_.api_key.empty()) request.headers.push_back("Authorization: Bearer " + settings_.api_key);
    std::optional<RawAudio> raw;
    if (settings_.format == "pcm") raw = {RawAudio::Coding::linear, settings_.pcm_rate};
    return fetch_speech(transfers_, std::move(request), raw, pieces, "tts.http", &explain);
  }

  HttpSpeechSettings settings_;
  FetchOptions options_;
  std::string url_;
  http::Transfers transfers_;
};

}  // namespace

std::unique_ptr<SpeechEngine> make_http_engine(HttpSpeechSettings settings, FetchOptions options) {
  return std::make_unique<HttpEngine>(std::move(settings), options);
}

}  // namespace rw::speech
