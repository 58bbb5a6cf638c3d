#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "audio/sound_loader.h"
#include "base/fair_queue.h"
#include "base/time.h"
#include "sounds/lanes.h"
#include "sounds/sound_cache.h"
#include "sounds/sound_source.h"

namespace rw::sounds {

/// The sound loader on threads of its own, with a cache. What is at hand or only takes computing has some threads; what
/// waits for others (speech engines, a store of prompts elsewhere) has more of them, begun when needed, of which those
/// who wait for one and the same may take a part only.
///
/// Each sound is made step by step. After a step it is the next domain's turn; a sound that is far enough ahead of who
/// hears it, or that something has to come for, is left alone for a while; one that nobody waits for or hears any more
/// is dropped. Thread-safe.
class SoundLoaderPool final : public audio::SoundLoader {
 public:
  struct Options {
    int threads = 2;                             ///< for what only takes computing
    int waiting_threads = 64;                    ///< for what waits for others
    int threads_per_lane = 16;                   ///< of those, for one kind of speech engine, or the store of prompts
    http::Downloads::Options downloads = {};     ///< sounds that come from the web
    std::size_t most_waiting = 10'000;           ///< sounds that wait for a thread
    std::size_t most_waiting_of_a_domain = 500;  ///< of those; a domain that has none always finds a place
    std::size_t cache_bytes = 256ULL * 1024 * 1024;
    /// Of sounds that are being made and heard, which are kept from their beginnings, so that others may join and they
    /// are at hand later. Beyond that only what somebody still has to hear is kept.
    std::size_t growing_bytes = 256ULL * 1024 * 1024, growing_bytes_of_a_domain = 64ULL * 1024 * 1024;
    Makers makers;
  };
  explicit SoundLoaderPool(Options options);
  /// What still waits gets an error.
  ~SoundLoaderPool() override;

  void load(audio::SoundRequest request, rtp::Codec codec, Wanted wanted, Done done) override;
  void add_form(media::SoundPtr sound, rtp::Codec codec, const std::string& domain) override;
  /// A prompt of the domain was uploaded or removed: from now on load() looks whether its prompts are still those that
  /// were decoded.
  void forget(const std::string& domain);
  /// Sounds that aren't made to their ends.
  std::size_t under_way() const;

 private:
  struct Waiting {
    rtp::Codec codec;
    Wanted wanted;
    Done done;
  };
  struct Job;
  using JobPtr = std::shared_ptr<Job>;
  using Parked = std::multimap<TimePoint, JobPtr>;
  enum class Next : std::uint8_t { again, later, over };

  // ---- with the lock held
  std::uint64_t generation_of(const audio::SoundRequest& request) const;
  const SoundCache::Entry* current(const Job& job);
  void choose_lane(Job& job) const;
  bool has_room(const std::string& domain);
  void enqueue(JobPtr job);
  void grow();
  void unpark(Job& job);
  TimePoint release_due();
  JobPtr next_job(bool waits);
  bool is_wanted(const Job& job) const;
  void remove(Job& job);
  void unlist(Job& job);
  void count(Job& job, std::size_t bytes);

  // ---- the threads
  void work(bool waits);
  JobPtr await_job(std::unique_lock<std::mutex>& lock, bool waits);
  void run(const JobPtr& job, Tools& tools);
  Next advance(const JobPtr& job, Tools& tools);
  void begin(const JobPtr& job);
  void end(Job& job);
  Result<Next> pace(Job& job);
  void came(const std::weak_ptr<Job>& job);
  void fail_all(Job& job, const std::string& why);
  bool encode(Job& job);
  void serve(Job& job, const Result<std::shared_ptr<media::Sound>>& sound);

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_computing_, wake_waiting_;
  std::atomic<bool> stopping_{false};
  FairQueue<JobPtr> computing_, lanes_;                   ///< jobs whose next step waits for a thread
  Parked parked_;                                         ///< jobs by when their next step is due
  int idle_ = 0;                                          ///< threads for waiting that have nothing to do
  bool coming_ = false;                                   ///< one more has been begun and hasn't looked for work yet
  Lanes busy_;                                            ///< steps under way
  std::unordered_map<std::string, JobPtr> jobs_;          ///< by Job::id: those that can be joined
  std::unordered_map<std::string, std::size_t> growing_;  ///< bytes by domain
  std::size_t growing_bytes_ = 0, under_way_ = 0;
  std::unordered_map<std::string, std::uint64_t> generations_;  ///< by domain: how often forget() was called
  SoundCache cache_;
  std::vector<std::thread> threads_;
  http::Downloads downloads_;  ///< its thread calls came(): gone before all others
};

}  // namespace rw::sounds
