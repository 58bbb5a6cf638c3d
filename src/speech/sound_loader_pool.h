#pragma once

#include <condition_variable>
#include <cstdint>
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
  /// A prompt of the domain was uploaded or removed: from now on load() looks whether its prompts are still those that
  /// were decoded.
  void forget(const std::string& domain);

 private:
  struct Entry {
    media::SoundPtr sound;
    std::string etag;              ///< of a prompt
    std::uint64_t generation = 0;  ///< of the domain's prompts when this one was last looked up
    std::size_t bytes = 0;
    std::list<std::string>::iterator age;
  };
  struct Waiting {
    rtp::Codec codec;
    Done done;
  };
  struct Job {
    std::string key;
    std::uint64_t generation = 0;
    audio::SoundRequest request;
    /// Jobs begun before and after forget() are different ones, so that nobody gets what was replaced before they
    /// asked.
    std::string id() const { return key + '\n' + std::to_string(generation); }
  };

  static std::string key_of(const audio::SoundRequest& request);
  std::uint64_t generation_of(const audio::SoundRequest& request) const;
  void work();
  Result<media::SoundPtr> make(const Job& job, SpeechEngine& engine, std::string& etag);
  Result<media::SoundPtr> make_file(const Job& job, const audio::FilePrompt& file, std::string& etag);
  /// What the cache holds for `key`, if its etag is `etag`; else null.
  media::SoundPtr cached(const std::string& key, const std::string& etag);
  void deliver(const Job& job, const Result<media::SoundPtr>& sound, const std::string& etag);
  void remember(const Job& job, media::SoundPtr sound, const std::string& etag);
  void evict(const std::string& key);

  const Options options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<Job> jobs_;
  std::unordered_map<std::string, std::vector<Waiting>>
      waiting_;  ///< by Job::id(), while a job is under way that serves them all
  std::unordered_map<std::string, std::uint64_t> generations_;  ///< by domain: how often forget() was called
  std::unordered_map<std::string, Entry> cache_;
  std::list<std::string> ages_;  ///< keys, the least recently used first
  std::size_t cached_bytes_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace rw::speech
