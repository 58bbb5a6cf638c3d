#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "audio/sound_loader.h"
#include "speech/speech_engine.h"

namespace rw::speech {

/// Where a prompt's bytes are, and which version of them.
struct PromptFile {
  std::string path;
  std::string etag;
};

/// The sound loader on threads of its own, with a cache. Thread-safe.
class SoundLoaderPool final : public audio::SoundLoader {
 public:
  struct Options {
    int threads = 2;
    std::size_t most_waiting = 10'000;
    std::size_t cache_bytes = 256ULL * 1024 * 1024;
    /// Finds a prompt; called on the pool's threads.
    std::function<Result<PromptFile>(const audio::FilePrompt&)> find;
    std::function<std::unique_ptr<SpeechEngine>()> make_engine;
  };
  explicit SoundLoaderPool(Options options);
  /// What still waits gets an error.
  ~SoundLoaderPool() override;

  void load(audio::SoundRequest request, rtp::Codec codec, Done done) override;
  /// A prompt was uploaded or removed: the next load() looks again.
  void forget(const std::string& domain);

 private:
  struct Entry {
    media::SoundPtr sound;
    std::string etag;  ///< of a prompt
    std::size_t bytes = 0;
    std::list<std::string>::iterator age;
  };
  struct Waiting {
    rtp::Codec codec;
    Done done;
  };
  struct Job {
    std::string key;
    audio::SoundRequest request;
  };

  static std::string key_of(const audio::SoundRequest& request);
  void work();
  Result<media::SoundPtr> make(const Job& job, SpeechEngine& engine, std::string& etag);
  void deliver(const std::string& key, const Result<media::SoundPtr>& sound, const std::string& etag);
  void remember(const std::string& key, media::SoundPtr sound, const std::string& etag);
  void evict(const std::string& key);

  const Options options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<Job> jobs_;
  std::unordered_map<std::string, std::vector<Waiting>>
      waiting_;  ///< by key, while a job is under way that serves them all
  std::unordered_map<std::string, Entry> cache_;
  std::list<std::string> ages_;  ///< keys, the least recently used first
  std::size_t cached_bytes_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace rw::speech
