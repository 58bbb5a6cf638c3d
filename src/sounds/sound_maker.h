#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "audio/sound_loader.h"
#include "base/result.h"
#include "http/transfer.h"
#include "sounds/sound_output.h"
#include "sounds/url_sound.h"
#include "speech/speech_engine.h"

namespace rw::sounds {

/// Where a prompt's bytes are, and which version of them.
struct PromptFile {
  std::string path;
  std::string etag;
  /// How long it need not be looked up again; none: until the loader is told that it has changed.
  std::optional<std::chrono::milliseconds> fresh_for = {};
};

/// What makers work with. All of it may be used by several threads at once.
struct Makers {
  std::function<Result<PromptFile>(const audio::FilePrompt&)> find;  ///< blocking
  std::function<std::unique_ptr<speech::SpeechEngine>()> make_engine;
  FetchRules fetch_rules = {};  ///< where a UrlSound may come from
};

/// Something was made, or was not because the caller's version is still the right one.
struct Made {
  std::string etag;
  std::optional<std::chrono::milliseconds> fresh_for = {};  ///< none: until the loader is told otherwise
  bool unchanged = false;                                   ///< nothing was put out
  bool may_be_kept = true;
};

/// Makes sounds, one after the other. Slow; one thread at a time.
class SoundMaker {
 public:
  /// `cancel`: give up soon.
  SoundMaker(const Makers& makers, const std::atomic<bool>& cancel) : makers_(makers), cancel_(cancel) {}

  /// `etag`: the version that the caller has, or empty. After an error, what was put out is not the whole sound.
  Result<Made> make(const audio::SoundRequest& request, const std::string& etag, SoundOutput& output);

 private:
  Result<Made> make_file(const audio::FilePrompt& file, const std::string& etag, SoundOutput& output);
  Result<Made> make_fetched(const audio::UrlSound& source, const std::string& etag, SoundOutput& output);
  Result<Made> make_speech(const audio::SpeechRequest& request, SoundOutput& output);

  const Makers& makers_;
  const std::atomic<bool>& cancel_;
  std::unique_ptr<speech::SpeechEngine> engine_;  ///< made when it is needed
  http::Transfers transfers_;
};

}  // namespace rw::sounds
