#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "audio/sound_loader.h"
#include "base/result.h"
#include "http/downloads.h"
#include "sounds/sound_output.h"
#include "speech/speech_engine.h"
#include "speech/speech_service.h"

namespace rw::sounds {

/// Where a prompt's bytes are, and which version of them.
struct PromptFile {
  std::string path;
  std::string etag;
  /// How long it need not be looked up again; none: until the loader is told that it has changed.
  std::optional<std::chrono::milliseconds> fresh_for = {};
};

/// What sounds are made with. All of it may be used by several threads at once.
struct Makers {
  std::function<Result<PromptFile>(const audio::FilePrompt&)> find;
  bool find_waits = false;  ///< for a network, perhaps: prompts are elsewhere
  std::function<std::unique_ptr<speech::SpeechEngine>()> make_engine;
  /// For which engine a request for speech waits, and how many may do that at a time. Empty: one lane for each kind.
  std::function<speech::SpeechService::Lane(const audio::SoundRequest&)> speech_lane = {};
};

/// What each thread has of its own, made when it is needed.
struct Tools {
  explicit Tools(const Makers& with) : makers(with) {}
  speech::SpeechEngine& engine() {
    if (!engine_) engine_ = makers.make_engine();
    return *engine_;
  }

  const Makers& makers;

 private:
  std::unique_ptr<speech::SpeechEngine> engine_;
};

/// What is known of a sound, beside its audio.
struct Made {
  std::string etag = {};
  std::optional<std::chrono::milliseconds> fresh_for = {};  ///< none: until the loader is told otherwise
  bool unchanged = false;                                   ///< nothing was put out: the caller's version is right
  bool may_be_kept = true;
};

/// Makes one sound, step by step, so that nothing is made before it is needed and others get their turns. Slow; one
/// thread at a time, not always the same one.
class SoundSource {
 public:
  virtual ~SoundSource() = default;
  enum class Step : std::uint8_t {
    more,
    later,  ///< something has to come first: go on when it is told that it came
    over
  };
  /// Puts out about a second more, or a sentence, or nothing yet. After an error, what was put out is not the whole
  /// sound.
  virtual Result<Step> step(SoundOutput& output, Tools& tools) = 0;
  const Made& made() const { return made_; }

 protected:
  /// What a step puts out, about.
  static constexpr std::chrono::milliseconds in_a_step{1000};

  Made made_;
};

/// `etag`: the version that the caller has, or empty. `came`: called on another thread, without blocking, when a sound
/// that is to be gone on with later may be. `downloads` must outlive it.
std::unique_ptr<SoundSource> make_source(const audio::SoundRequest& request, const std::string& etag,
                                         http::Downloads& downloads, std::function<void()> came);

}  // namespace rw::sounds
