#include "speech/speech_engine.h"

#include <variant>

#include "speech/sentences.h"

namespace rw::speech {

Result<std::optional<audio::SpokenText>> SpeechEngine::text_of(const audio::SpeechRequest& request) const {
  const auto* text = std::get_if<audio::SpokenText>(&request);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

Result<audio::Samples> speak_whole(SpeechEngine& engine, const audio::SpeechRequest& request) {
  audio::Samples whole;
  const auto spoken = engine.speak(request, [&whole](const audio::Samples& piece) {
    whole.rate = piece.rate;
    whole.samples.insert(whole.samples.end(), piece.samples.begin(), piece.samples.end());
    return true;
  });
  if (!spoken) return tl::unexpected(spoken.error());
  return whole;
}

Result<std::string> speakable_text(const audio::SpokenText& spoken) {
  if (spoken.text.size() > SpeechEngine::max_text) return fail("the text is longer than 10000 characters");
  auto text = clean_text(spoken.ssml ? text_of_ssml(spoken.text) : spoken.text);
  if (!is_speakable(text)) return fail("the text has nothing that can be spoken");
  return text;
}

}  // namespace rw::speech
