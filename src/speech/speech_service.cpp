#include "speech/speech_service.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "speech/canonical_json.h"
#include "speech/child_process.h"
#include "speech/espeak_engine.h"
#include "speech/flite_engine.h"
#include "speech/google_engine.h"
#include "speech/http_engine.h"
#include "speech/polly_engine.h"
#include "speech/spoken_form.h"

namespace rw::speech {
namespace {

constexpr const char* espeak_program = "espeak-ng";

std::int64_t system_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// "en", "en-GB", "eng", or nothing.
bool is_english(std::string_view language) {
  const auto base = lower_case(language.substr(0, language.find_first_of("-_")));
  return base.empty() || base == "en" || base == "eng";
}

}  // namespace

/// One thread's engines, made when they are first needed.
class SpeechService::Engine final : public SpeechEngine {
 public:
  explicit Engine(SpeechService& service) : service_(service) {}

  Result<void> speak(const audio::SpeechRequest& request, const Take& take) override {
    return std::visit([&](const auto& one) { return say(one, take); }, request);
  }
  Result<std::optional<audio::SpokenText>> text_of(const audio::SpeechRequest& request) const override {
    const auto text = [](Result<audio::SpokenText> spoken) -> Result<std::optional<audio::SpokenText>> {
      if (!spoken) return tl::unexpected(spoken.error());
      return std::optional(std::move(*spoken));
    };
    const auto* polly = std::get_if<audio::PollySpeech>(&request);
    if (polly != nullptr && settings().fallback && !settings().polly.usable()) return text(spoken_form(*polly));
    const auto* google = std::get_if<audio::GoogleSpeech>(&request);
    if (google != nullptr && settings().fallback && !service_.google_tokens_) return text(spoken_form(*google));
    return SpeechEngine::text_of(request);
  }

 private:
  using TextEngine = SpeechSettings::TextEngine;
  const SpeechSettings& settings() const { return service_.settings_; }
  FetchOptions fetch_options() const { return {settings().timeout, &service_.stopping_}; }

  Result<void> say(const audio::SpokenText& spoken, const Take& take) {
    const std::string_view ssml = spoken.ssml ? "ssml" : "text";
    switch (engine_for(spoken.language)) {
      case TextEngine::http: {
        const auto& http = settings().http;
        if (!http_) http_ = make_http_engine(http, fetch_options());
        const auto speed = http.speed ? std::to_string(*http.speed) : std::string();
        const auto rate = std::to_string(http.pcm_rate);
        return cached({"http", http.url, http.model, spoken.voice.empty() ? http.voice : spoken.voice, http.format,
                       rate, speed, ssml, spoken.text},
                      *http_, spoken, spoken.caching, take);
      }
      case TextEngine::espeak_ng:
        if (!espeak_) espeak_ = make_espeak_engine({espeak_program, settings().timeout, &service_.stopping_});
        return cached({"espeak-ng", spoken.voice, spoken.language, ssml, spoken.text}, *espeak_, spoken, spoken.caching,
                      take);
      case TextEngine::flite:
        break;
    }
    if (!flite_) flite_ = make_flite_engine();
    return cached({"flite", ssml, spoken.text}, *flite_, spoken, spoken.caching, take);
  }

  Result<void> say(const audio::PollySpeech& spoken, const Take& take) {
    const auto& polly = settings().polly;
    if (!polly.usable()) return say_instead(spoken, take, "tts.aws: access_key_id and secret_access_key are missing");
    const auto region = polly_region(polly, spoken);
    if (!region) return tl::unexpected(region.error());
    const auto body = polly_body(spoken);
    if (!body) return tl::unexpected(body.error());
    if (!polly_) polly_ = make_polly_engine(polly, fetch_options());
    return cached({"polly", polly.endpoint, *region, canonical_json(*body)}, *polly_, spoken, spoken.caching, take);
  }

  Result<void> say(const audio::GoogleSpeech& spoken, const Take& take) {
    const auto& google = settings().google;
    if (!service_.google_tokens_) return say_instead(spoken, take, "tts.google.credentials_file is missing");
    const auto body = google_body(spoken);
    if (!body) return tl::unexpected(body.error());
    if (!google_) google_ = make_google_engine(google, service_.google_tokens_, fetch_options());
    return cached({"google", google.endpoint, canonical_json(*body)}, *google_, spoken, spoken.caching, take);
  }

  template <class Spoken>
  Result<void> say_instead(const Spoken& spoken, const Take& take, const char* missing) {
    if (!settings().fallback) return fail(missing);
    const auto text = spoken_form(spoken);
    return text ? say(*text, take) : tl::unexpected(text.error());
  }

  TextEngine engine_for(const std::string& language) {
    if (settings().engine != TextEngine::flite || is_english(language)) return settings().engine;
    if (service_.espeak_installed_) return TextEngine::espeak_ng;
    if (!service_.warned_.exchange(true)) {
      service_.log_.warning("speech in other languages than English sounds English: install the package espeak-ng",
                            {ops::text("language", language)});
    }
    return TextEngine::flite;
  }

  Result<void> cached(std::initializer_list<std::string_view> parts, SpeechEngine& engine,
                      const audio::SpeechRequest& request, const audio::SpeechCaching& caching, const Take& take) {
    return service_.cache_->speak(
        SpeechCache::key_of(parts), caching, [&](const Take& to) { return engine.speak(request, to); }, take);
  }

  SpeechService& service_;
  std::unique_ptr<SpeechEngine> flite_, espeak_, http_, polly_, google_;
};

Result<std::unique_ptr<SpeechService>> SpeechService::make(SpeechSettings settings, const std::string& folder,
                                                           std::shared_ptr<SharedSpeechStore> shared,
                                                           const ops::Log& log,
                                                           std::function<bool(std::uint64_t bytes)> has_room) {
  std::unique_ptr<SpeechService> service(new SpeechService(std::move(settings), log));
  const auto& chosen = service->settings_;
  service->espeak_installed_ = is_installed(espeak_program);
  if (chosen.engine == SpeechSettings::TextEngine::espeak_ng && !service->espeak_installed_)
    return fail("tts.engine: espeak-ng is not installed: install the package espeak-ng");
  if (chosen.google.usable()) {
    auto tokens = GoogleTokens::make(chosen.google.credentials);
    if (!tokens) return fail("tts.google.credentials_file: " + tokens.error().message);
    service->google_tokens_ = std::move(*tokens);
  }
  SpeechCache::Options cache{nullptr, chosen.cache ? std::move(shared) : nullptr, &system_now, service->log_};
  if (chosen.cache) {
    auto opened = SpeechFolder::open({folder, chosen.cache_bytes, &system_now, service->log_, std::move(has_room)});
    if (opened) {
      cache.folder = std::move(*opened);
    } else {
      service->log_.error("speech is not kept", {ops::text("reason", opened.error().message)});
    }
  }
  service->cache_ = std::make_unique<SpeechCache>(std::move(cache));
  return service;
}

SpeechService::Lane SpeechService::lane_of(const audio::SoundRequest& request) const {
  constexpr int of_a_service = 16;
  if (std::holds_alternative<audio::PollySpeech>(request) && settings_.polly.usable()) return {"polly", of_a_service};
  if (std::holds_alternative<audio::GoogleSpeech>(request) && google_tokens_) return {"google", of_a_service};
  if (settings_.engine == SpeechSettings::TextEngine::http) return {"tts", of_a_service};
  return {"tts", static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 2U, 16U))};
}

std::unique_ptr<SpeechEngine> SpeechService::make_engine() {
  return std::make_unique<Engine>(*this);
}

}  // namespace rw::speech
