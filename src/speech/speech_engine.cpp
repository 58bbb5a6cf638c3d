#include "speech/speech_engine.h"

namespace rw::speech {

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

}  // namespace rw::speech
