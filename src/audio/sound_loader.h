#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "media/sound.h"
#include "rtp/codec.h"

namespace rw::audio {

/// A file of the domain's prompt storage; the extension may be left out.
struct FilePrompt {
  std::string domain;
  std::string name;
};
/// A file on the web: WAV or MP3, heard while it still comes; or Ogg or FLAC.
struct UrlSound {
  std::string domain;  ///< for which it is fetched: one domain's slow servers don't hold up another's
  std::string url;     ///< http or https
};
/// How long what was synthesised for a phrase is kept on disk.
struct SpeechCaching {
  std::chrono::seconds time_to_live{std::chrono::hours(24 * 30)};
  bool refresh = false;  ///< synthesise anew, whatever is there
};
/// Text for the embedded speech engine. `text` may be SSML (`ssml`), whose tags are dropped by engines that do not know
/// them.
struct SpokenText {
  std::string text;
  bool ssml = false;
  std::string voice = {};     ///< empty: the default
  std::string language = {};  ///< empty: the default
  SpeechCaching caching = {};
};
/// A request to Amazon Polly's SynthesizeSpeech.
struct PollySpeech {
  std::string parameters;   ///< its members as a JSON object, as they came
  std::string region = {};  ///< empty: the configured one
  SpeechCaching caching = {};
};
/// A request to Google's text:synthesize.
struct GoogleSpeech {
  std::string parameters;  ///< its body, a JSON object, as it came
  SpeechCaching caching = {};
};
/// What is to be spoken, and by whom.
using SpeechRequest = std::variant<SpokenText, PollySpeech, GoogleSpeech>;
/// Sine tones for `length`: a named tone of a country's tone plan (media/tone.h), or, without a name, `frequencies`
/// (Hz, 1–4 of them) on for `on`, off for `off`, repeated. on == 0: without a break.
struct Tone {
  std::vector<double> frequencies = {};
  std::chrono::milliseconds on{0}, off{0}, length{0};
  std::string plan = {};  ///< "se", "eu", …
  std::string name = {};  ///< "dial", "ringback", "busy", "congestion", or empty
};
using SoundRequest = std::variant<FilePrompt, UrlSound, SpokenText, PollySpeech, GoogleSpeech, Tone>;

/// Turns what is to be heard into a Sound that can be played: fetches, decodes, synthesises, resamples and encodes on
/// its own threads, and keeps what it made (least recently used goes first, limited in bytes). Two requests for the
/// same thing do the work once. Thread-safe.
class SoundLoader {
 public:
  virtual ~SoundLoader() = default;
  using Done = std::function<void(Result<media::SoundPtr>)>;
  /// `done` is called exactly once, on a thread of the loader (at once, on the caller's thread, if the sound is at
  /// hand), with a sound whose payload form for `codec` exists. It comes when there is enough of it to begin, and may
  /// still be growing; if it then breaks off, Sound::problem() says why.
  virtual void load(SoundRequest request, rtp::Codec codec, Done done) = 0;
};

}  // namespace rw::audio
