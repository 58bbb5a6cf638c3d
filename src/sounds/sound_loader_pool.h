#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "audio/sound_loader.h"
#include "sounds/sound_cache.h"
#include "sounds/sound_maker.h"

namespace rw::sounds {

/// The sound loader on threads of its own, with a cache. What is at hand or only takes computing has some threads; what
/// waits for others (the web, speech engines) has more of them, begun when needed, of which those who wait for one and
/// the same may take a part only. Thread-safe.
class SoundLoaderPool final : public audio::SoundLoader {
 public:
  struct Options {
    int threads = 2;            ///< for what only takes computing
    int waiting_threads = 48;   ///< for what waits for others
    int threads_per_lane = 16;  ///< of those, for one domain's URLs, or one kind of speech engine
    std::size_t most_waiting = 10'000;
    std::size_t cache_bytes = 256ULL * 1024 * 1024;
    Makers makers;
  };
  explicit SoundLoaderPool(Options options);
  /// What still waits gets an error.
  ~SoundLoaderPool() override;

  void load(audio::SoundRequest request, rtp::Codec codec, Done done) override;
  /// A prompt of the domain was uploaded or removed: from now on load() looks whether its prompts are still those that
  /// were decoded.
  void forget(const std::string& domain);

 private:
  struct Waiting {
    rtp::Codec codec;
    Done done;
  };
  /// One sound that is being made, and those who wait for it.
  struct Job {
    std::string key;
    /// Jobs begun before and after forget() are different ones, so that nobody gets what was replaced before they
    /// asked.
    std::uint64_t generation = 0;
    audio::SoundRequest request;
    std::string lane;              ///< whom it waits for; empty: it only takes computing
    media::SoundPtr begun;         ///< guarded by mutex_: what there is of it, when that is enough to begin
    std::vector<Waiting> waiting;  ///< guarded by mutex_
    std::string id() const { return key + '\n' + std::to_string(generation); }
  };
  using JobPtr = std::shared_ptr<Job>;

  std::uint64_t generation_of(const audio::SoundRequest& request) const;
  const SoundCache::Entry* current(const Job& job);
  void enqueue(JobPtr job);
  JobPtr next_job(bool waits);
  void work(bool waits);
  void run(Job& job, SoundMaker& maker);
  void serve(Job& job, const Result<media::SoundPtr>& sound);
  void complete(Job& job, const Result<media::SoundPtr>& sound, const SoundCache::Entry* keep);

  const Options options_;
  std::atomic<bool> cancel_{false};  ///< makers give up
  std::mutex mutex_;
  std::condition_variable wake_computing_, wake_waiting_;
  bool stopping_ = false;
  std::deque<JobPtr> computing_, lanes_;                        ///< jobs that nobody has begun
  int idle_ = 0;                                                ///< threads for waiting that have nothing to do
  std::unordered_map<std::string, int> busy_;                   ///< by lane: jobs under way
  std::unordered_map<std::string, JobPtr> jobs_;                ///< by Job::id(): all that aren't complete
  std::unordered_map<std::string, std::uint64_t> generations_;  ///< by domain: how often forget() was called
  SoundCache cache_;
  std::vector<std::thread> threads_;
};

}  // namespace rw::sounds
