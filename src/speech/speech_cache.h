#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "audio/sound_loader.h"
#include "ops/log.h"
#include "speech/speech_engine.h"
#include "speech/speech_folder.h"

namespace rw::speech {

/// A second level behind the folder, that several servers share. Called on the threads that speak; may block, and must
/// be thread-safe. What it gives back is checked.
class SharedSpeechStore {
 public:
  virtual ~SharedSpeechStore() = default;
  /// Nothing: there is none under that key.
  virtual Result<std::optional<std::string>> get(const std::string& key) = 0;
  /// `expires`: seconds since 1970; it may go after that.
  virtual Result<void> put(const std::string& key, std::string_view bytes, std::int64_t expires) = 0;
};

/// Speech that was synthesised before, and speech that is being synthesised right now: who asks for that joins in,
/// hears what is there already and follows. Only what came to a good end is kept. Thread-safe.
class SpeechCache {
 public:
  using Take = SpeechEngine::Take;
  using Synthesise = std::function<Result<void>(const Take&)>;
  struct Options {
    std::unique_ptr<SpeechFolder> folder;       ///< null: nothing is kept, but speech under way is still shared
    std::shared_ptr<SharedSpeechStore> shared;  ///< or null
    std::function<std::int64_t()> now;          ///< seconds since 1970
    ops::Log log;
  };
  explicit SpeechCache(Options options);
  ~SpeechCache();

  /// A key of all that makes the speech what it is: the hash of these parts.
  static std::string key_of(std::initializer_list<std::string_view> parts);

  /// Speaks what `key` stands for: from the cache, or else by `synthesise`, on the caller's thread or on that of who
  /// asked first. Blocks until it is over.
  Result<void> speak(const std::string& key, const audio::SpeechCaching& caching, const Synthesise& synthesise,
                     const Take& take);

 private:
  class Flight;

  std::shared_ptr<Flight> join(const std::string& name);
  std::optional<SpeechEntry> find(const std::string& key);
  void keep(const std::string& key, const audio::SpeechCaching& caching, const Flight& flight);
  Result<void> lead(const std::string& key, const audio::SpeechCaching& caching, const Synthesise& synthesise,
                    const Take& take, Flight& flight);
  void land(const std::string& name, const std::shared_ptr<Flight>& flight);
  void warn(const std::string& what, const std::string& why);

  const Options options_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;  ///< by flight_name()
  std::int64_t warned_ = 0;
};

}  // namespace rw::speech
