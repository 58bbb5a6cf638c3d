#include "speech/text_engine.h"

#include <variant>

#include "speech/sentences.h"

namespace rw::speech {

Result<void> TextEngine::speak(const audio::SpeechRequest& request, const Take& take) {
  const auto* spoken = std::get_if<audio::SpokenText>(&request);
  if (spoken == nullptr) return fail("this speech engine takes plain text and SSML only");
  const auto text = speakable_text(*spoken);
  if (!text) return tl::unexpected(text.error());
  Pieces pieces(take);
  for (const auto sentence : sentences_of(*text)) {
    if (!pieces.wanted()) return {};
    if (!is_speakable(sentence)) continue;
    if (auto said = say(sentence, *spoken, pieces); !said) return said;
    pieces.flush();
  }
  return pieces.finish();
}

}  // namespace rw::speech
