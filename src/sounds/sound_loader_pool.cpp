#include "sounds/sound_loader_pool.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "base/thread_name.h"
#include "sounds/sound_key.h"

namespace rw::sounds {
namespace {

constexpr const char* stopped = "the server is stopping";

}  // namespace

SoundLoaderPool::SoundLoaderPool(Options options) : options_(std::move(options)), cache_(options_.cache_bytes) {
  for (int at = 0; at < options_.threads; ++at) threads_.emplace_back([this] { work(false); });
}

SoundLoaderPool::~SoundLoaderPool() {
  cancel_ = true;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_computing_.notify_all();
  wake_waiting_.notify_all();
  for (auto& thread : threads_) thread.join();
  for (auto& [id, job] : std::exchange(jobs_, {})) {
    for (auto& one : job->waiting) one.done(fail(stopped));
  }
}

std::uint64_t SoundLoaderPool::generation_of(const audio::SoundRequest& request) const {
  const auto* file = std::get_if<audio::FilePrompt>(&request);
  if (file == nullptr) return 0;
  const auto found = generations_.find(file->domain);
  return found == generations_.end() ? 0 : found->second;
}

/// What is known to be right for the job without looking; else null.
const SoundCache::Entry* SoundLoaderPool::current(const Job& job) {
  if (wants_refresh(job.request)) return nullptr;
  const auto* entry = cache_.find(job.key);
  const bool right = entry != nullptr && entry->generation == job.generation && Clock::now() < entry->fresh_until;
  return right ? entry : nullptr;
}

void SoundLoaderPool::load(audio::SoundRequest request, rtp::Codec codec, Done done) {
  auto job = std::make_shared<Job>();
  job->key = key_of(request);
  job->lane = lane_of(request);
  job->request = std::move(request);
  media::SoundPtr at_hand;
  std::string refused;
  {
    const std::lock_guard lock(mutex_);
    job->generation = generation_of(job->request);
    const auto* entry = current(*job);
    if (entry != nullptr && entry->sound->payload(codec) != nullptr) {
      at_hand = entry->sound;
    } else if (stopping_) {
      refused = stopped;
    } else if (const auto under_way = jobs_.find(job->id()); under_way != jobs_.end()) {
      Job& other = *under_way->second;
      if (other.begun == nullptr || other.begun->payload(codec) == nullptr) {
        other.waiting.push_back({codec, std::move(done)});
        return;
      }
      at_hand = other.begun;
    } else if (computing_.size() + lanes_.size() < options_.most_waiting) {
      if (entry != nullptr) job->lane.clear();  // only another form of it is wanted
      job->waiting.push_back({codec, std::move(done)});
      enqueue(std::move(job));
      return;
    } else {
      refused = "too many sounds are waiting to be made";
    }
  }
  if (at_hand) {
    done(at_hand);
  } else {
    done(fail(refused));
  }
}

void SoundLoaderPool::forget(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  ++generations_[domain];
}

// ------------------------------------------------------------------------------------------------------- the threads

void SoundLoaderPool::enqueue(JobPtr job) {
  jobs_.emplace(job->id(), job);
  if (job->lane.empty()) {
    computing_.push_back(std::move(job));
    wake_computing_.notify_one();
    return;
  }
  lanes_.push_back(std::move(job));
  const auto all = static_cast<std::size_t>(options_.threads) + static_cast<std::size_t>(options_.waiting_threads);
  if (idle_ > 0) {
    wake_waiting_.notify_one();
  } else if (threads_.size() < all) {
    threads_.emplace_back([this] { work(true); });
  }
}

/// The oldest job that may be begun, or null.
SoundLoaderPool::JobPtr SoundLoaderPool::next_job(bool waits) {
  auto& jobs = waits ? lanes_ : computing_;
  const auto found = std::ranges::find_if(jobs, [&](const JobPtr& job) {
    const auto busy = busy_.find(job->lane);
    return !waits || busy == busy_.end() || busy->second < options_.threads_per_lane;
  });
  if (found == jobs.end()) return nullptr;
  auto job = std::move(*found);
  jobs.erase(found);
  if (waits) ++busy_[job->lane];
  return job;
}

void SoundLoaderPool::work(bool waits) {
  name_this_thread("sounds");
  SoundMaker maker(options_.makers, cancel_);
  std::unique_lock lock(mutex_);
  for (;;) {
    JobPtr job;
    if (waits) ++idle_;
    (waits ? wake_waiting_ : wake_computing_).wait(lock, [&] {
      if (!stopping_) job = next_job(waits);
      return stopping_ || job != nullptr;
    });
    if (waits) --idle_;
    if (stopping_) return;
    lock.unlock();
    run(*job, maker);
    lock.lock();
    if (waits && --busy_[job->lane] == 0) busy_.erase(job->lane);
    if (waits) wake_waiting_.notify_one();  // a job may have waited for its lane
  }
}

void SoundLoaderPool::run(Job& job, SoundMaker& maker) {
  std::optional<SoundCache::Entry> known;
  bool only_a_form = false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto* entry = wants_refresh(job.request) ? nullptr : cache_.find(job.key)) known = *entry;
    only_a_form = current(job) != nullptr;
  }
  if (only_a_form) return complete(job, known->sound, nullptr);
  SoundOutput output([&](const media::SoundPtr& sound) { serve(job, sound); });
  Result<Made> made = fail(stopped);
  try {
    made = maker.make(job.request, known ? known->etag : std::string(), output);
  } catch (const std::exception& problem) {
    made = fail(problem.what());  // one sound that can't be made is no reason to stop making others
  }
  if (!made) {
    if (!output.empty()) output.finish(made.error().message);
    return complete(job, tl::unexpected(made.error()), nullptr);
  }
  if (!made->unchanged && output.empty()) return complete(job, fail("contains no audio"), nullptr);
  SoundCache::Entry entry{made->unchanged ? known->sound : output.finish(), made->etag, job.generation};
  if (made->fresh_for) entry.fresh_until = Clock::now() + *made->fresh_for;
  complete(job, entry.sound, made->may_be_kept ? &entry : nullptr);
}

/// Gives the sound, or the reason why there is none, to those who wait for it now.
void SoundLoaderPool::serve(Job& job, const Result<media::SoundPtr>& sound) {
  std::vector<Waiting> all;
  {
    const std::lock_guard lock(mutex_);
    if (sound) job.begun = *sound;
    all = std::exchange(job.waiting, {});
  }
  for (auto& one : all) {
    if (sound) (*sound)->encode(one.codec);
    if (sound && (*sound)->payload(one.codec) == nullptr) {
      one.done(fail("sounds can't be encoded for " + std::string(rtp::facts(one.codec).name) + " yet"));
    } else {
      one.done(sound);
    }
  }
}

/// Serves all, and those who join meanwhile; then the job is over.
void SoundLoaderPool::complete(Job& job, const Result<media::SoundPtr>& sound, const SoundCache::Entry* keep) {
  for (;;) {
    serve(job, sound);
    const std::lock_guard lock(mutex_);
    if (!job.waiting.empty()) continue;
    const auto* held = cache_.find(job.key);
    const bool older = held != nullptr && held->generation > job.generation;
    if (keep != nullptr && !older) cache_.put(job.key, *keep);
    jobs_.erase(job.id());
    return;
  }
}

}  // namespace rw::sounds
