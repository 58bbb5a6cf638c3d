#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audio/decode.h"
#include "audio/sound_loader.h"
#include "base/result.h"

namespace rw::speech {

/// Turns text into speech. Slow: for background threads. Each thread has its own.
class SpeechEngine {
 public:
  static constexpr std::size_t max_text = 10'000;
  /// Takes the next piece of the speech, as soon as it is there; pieces of one speech have one rate. False: no more of
  /// it is wanted.
  using Take = std::function<bool(audio::Samples piece)>;

  virtual ~SpeechEngine() = default;
  /// Never without a piece: text that gives no sound is an error. After an error, what was taken is not the whole
  /// speech. Success also if no more was wanted.
  virtual Result<void> speak(const audio::SpeechRequest& request, const Take& take) = 0;
  /// The request as text that may be spoken sentence by sentence; nothing: it is to be spoken as it is.
  virtual Result<std::optional<audio::SpokenText>> text_of(const audio::SpeechRequest& request) const;
};

/// The whole speech in one piece, for those who can't begin before it is there.
Result<audio::Samples> speak_whole(SpeechEngine& engine, const audio::SpeechRequest& request);

/// What a text engine says for the request: without SSML's tags and without control characters. An error if it is too
/// long or has nothing that can be spoken.
Result<std::string> speakable_text(const audio::SpokenText& spoken);

/// The text of an SSML document: tags dropped, entities decoded, breaks as full stops.
std::string text_of_ssml(std::string_view ssml);

}  // namespace rw::speech
