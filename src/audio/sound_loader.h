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
/// A file on the web, of any kind that AudioReader reads, heard while it still comes.
struct UrlSound {
  std::string domain;  ///< for which it is fetched
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
  std::string domain = {};  ///< for which it is spoken
};
/// A request to Amazon Polly's SynthesizeSpeech.
struct PollySpeech {
  std::string parameters;   ///< its members as a JSON object, as they came
  std::string region = {};  ///< empty: the configured one
  SpeechCaching caching = {};
  std::string domain = {};
};
/// A request to Google's text:synthesize.
struct GoogleSpeech {
  std::string parameters;  ///< its body, a JSON object, as it came
  SpeechCaching caching = {};
  std::string domain = {};
};
/// What is to be spoken, and by whom.
using SpeechRequest = std::variant<SpokenText, PollySpeech, GoogleSpeech>;
/// Sine tones for `length`: a named tone of a country's tone plan (media/tone.h), or, without a name, `frequencies`
/// (Hz, 1–4 of them) on for `on`, off for `off`, repeated. on == 0: without a break.
struct Tone {
  std::vector<double> frequencies = {};
  std::chrono::milliseconds on{0}, off{0}, length{0};
  std::string plan = {};    ///< "se", "eu", …
  std::string name = {};    ///< "dial", "ringback", "busy", "congestion", or empty
  std::string domain = {};  ///< whose phrase it is; empty: one of the server's own, of which there are few
};
using SoundRequest = std::variant<FilePrompt, UrlSound, SpokenText, PollySpeech, GoogleSpeech, Tone>;
/// For whom it is made.
inline const std::string& domain_of(const SoundRequest& request) {
  return std::visit([](const auto& one) -> const std::string& { return one.domain; }, request);
}

/// Turns what is to be heard into a Sound that can be played: fetches, decodes, synthesises, resamples and encodes on
/// its own threads, no further ahead of the first listener than is needed, in turns between domains. Keeps what it made
/// (least recently used goes first, limited in bytes). Two requests of a domain for the same thing do the work once.
/// What nobody waits for or hears any more is dropped. Thread-safe.
class SoundLoader {
 public:
  virtual ~SoundLoader() = default;
  using Done = std::function<void(Result<media::SoundPtr>)>;
  /// Whether somebody still waits: expired, if not.
  using Wanted = std::weak_ptr<const void>;
  /// `done` is called at most once, and exactly once while `wanted` is there: on a thread of the loader (at once, on
  /// the caller's thread, if the sound is at hand), with a sound whose payload form for `codec` exists. It comes when
  /// there is enough of it to begin, and may still be growing, for as long as its listener keeps the pointer; if it
  /// then breaks off, Sound::problem() says why.
  virtual void load(SoundRequest request, rtp::Codec codec, Wanted wanted, Done done) = 0;
  /// Adds the payload form for `codec` to a sound that came from here for `domain`, soon.
  virtual void add_form(media::SoundPtr sound, rtp::Codec codec, const std::string& domain) = 0;
};

}  // namespace rw::audio
