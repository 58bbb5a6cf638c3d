#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ops/log.h"
#include "speech/google_token.h"
#include "speech/speech_cache.h"
#include "speech/speech_engine.h"
#include "speech/speech_settings.h"

namespace rw::speech {

/// All speech of a server: picks the engine for each request and keeps what was synthesised. Thread-safe; must outlive
/// its engines.
class SpeechService {
 public:
  /// `folder`: where synthesised speech is kept. A folder that can't be used is logged, and then nothing is kept; the
  /// error is one of the configuration. `shared` may be null. `has_room`: as SpeechFolder's.
  static Result<std::unique_ptr<SpeechService>> make(SpeechSettings settings, const std::string& folder,
                                                     std::shared_ptr<SharedSpeechStore> shared, const ops::Log& log,
                                                     std::function<bool(std::uint64_t bytes)> has_room = {});

  /// An engine for one thread.
  ///
  /// Text is spoken by the engine of `[tts].engine`; flite leaves other languages than English to espeak-ng, if that is
  /// installed. Polly's and Google's requests go there; without credentials they are spoken as text (`fallback`), or
  /// are an error.
  std::unique_ptr<SpeechEngine> make_engine();
  /// Which engine a request for speech waits for, and how many threads make sense at a time: for engines that only take
  /// computing, one for each processor.
  struct Lane {
    std::string name;
    int most = 0;
  };
  Lane lane_of(const audio::SoundRequest& request) const;
  /// Ends requests that are under way, within about a second, with an error. For the end of the server.
  void stop() { stopping_ = true; }

 private:
  class Engine;
  SpeechService(SpeechSettings settings, const ops::Log& log) : settings_(std::move(settings)), log_(log) {}

  const SpeechSettings settings_;
  const ops::Log log_;
  std::atomic<bool> stopping_{false};
  bool espeak_installed_ = false;
  std::atomic<bool> warned_{false};
  std::shared_ptr<GoogleTokens> google_tokens_;
  std::unique_ptr<SpeechCache> cache_;
};

}  // namespace rw::speech
