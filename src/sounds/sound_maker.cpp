#include "sounds/sound_maker.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "audio/decode.h"
#include "media/tone.h"

namespace rw::sounds {
namespace {

constexpr std::uint32_t tone_rate = 8000;
constexpr const char* given_up = "the server is stopping";

Result<Made> make_tone(const audio::Tone& tone, SoundOutput& output) {
  media::ToneSpec spec;
  if (!tone.name.empty()) {
    auto planned = media::plan_tone(tone.plan, tone.name);
    if (!planned) return tl::unexpected(planned.error());
    spec = std::move(*planned);
  } else {
    spec.frequencies = tone.frequencies;
    if (tone.on.count() > 0) spec.cadence = {tone.on, tone.off};
  }
  const auto length = std::min<std::chrono::milliseconds>(tone.length, audio::max_duration);
  const auto put = output.append(audio::Samples{media::tone_samples(spec, length, tone_rate), tone_rate});
  if (!put) return tl::unexpected(put.error());
  return Made{};
}

}  // namespace

Result<Made> SoundMaker::make(const audio::SoundRequest& request, const std::string& etag, SoundOutput& output) {
  if (const auto* file = std::get_if<audio::FilePrompt>(&request)) return make_file(*file, etag, output);
  if (const auto* source = std::get_if<audio::UrlSound>(&request)) return make_fetched(*source, etag, output);
  if (const auto* tone = std::get_if<audio::Tone>(&request)) return make_tone(*tone, output);
  if (const auto* spoken = std::get_if<audio::SpokenText>(&request)) return make_speech(*spoken, output);
  if (const auto* polly = std::get_if<audio::PollySpeech>(&request)) return make_speech(*polly, output);
  return make_speech(std::get<audio::GoogleSpeech>(request), output);
}

Result<Made> SoundMaker::make_file(const audio::FilePrompt& file, const std::string& etag, SoundOutput& output) {
  Result<PromptFile> prompt = makers_.find(file);
  for (int attempt = 1;; ++attempt) {
    if (!prompt) return tl::unexpected(prompt.error());
    Made made{prompt->etag, prompt->fresh_for, prompt->etag == etag && !etag.empty()};
    if (made.unchanged) return made;
    Result<void> put;
    const auto decoded = audio::decode_in_pieces(prompt->path, [&](std::span<const float> piece, std::uint32_t rate) {
      put = cancel_ ? Result<void>(fail(given_up)) : output.append(piece, rate);
      return put.has_value();
    });
    if (!put) return tl::unexpected(put.error());
    if (decoded) return made;
    // Perhaps it was replaced, and the file removed, between the look-up and here.
    constexpr int most_attempts = 3;
    auto again = makers_.find(file);
    const bool same = again && again->path == prompt->path && !again->fresh_for;
    if (!output.empty() || same || attempt == most_attempts) return tl::unexpected(decoded.error());
    prompt = std::move(again);
  }
}

Result<Made> SoundMaker::make_fetched(const audio::UrlSound& source, const std::string& etag, SoundOutput& output) {
  auto fetched = fetch_sound(transfers_, makers_.fetch_rules, cancel_, source.url, etag, output);
  if (!fetched) return tl::unexpected(fetched.error());
  return Made{std::move(fetched->etag), fetched->fresh_for, fetched->unchanged, fetched->may_be_kept};
}

Result<Made> SoundMaker::make_speech(const audio::SpeechRequest& request, SoundOutput& output) {
  if (!engine_) engine_ = makers_.make_engine();
  Result<void> put;
  const auto spoken = engine_->speak(request, [&](const audio::Samples& piece) {
    put = cancel_ ? Result<void>(fail(given_up)) : output.append(piece);
    return put.has_value();
  });
  if (!put) return tl::unexpected(put.error());
  if (!spoken) return tl::unexpected(spoken.error());
  return Made{};
}

}  // namespace rw::sounds
