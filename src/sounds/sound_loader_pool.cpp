#include "sounds/sound_loader_pool.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/thread_name.h"
#include "sounds/sound_key.h"

namespace rw::sounds {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* stopped = "the server is stopping";
/// So much is made ahead of who hears it; then it is left alone until half of that has been heard.
constexpr milliseconds ahead{4000};
/// A sound may be joined at least until so much of it has been made.
constexpr seconds joinable{5};
/// How often it is looked whether somebody still wants what something has to come for.
constexpr milliseconds look_again{1000};
/// 20 ms frames of a form that are made in a step: ten seconds.
constexpr std::size_t frames_in_a_step = 500;

}  // namespace

/// One sound that is being made, and those who wait for it. It is at one place at a time: in a queue, parked, or with
/// the thread that works on it.
struct SoundLoaderPool::Job {
  std::string id, key, domain;
  /// Jobs begun before and after forget() are different ones, so that nobody gets what was replaced before they asked.
  std::uint64_t generation = 0;
  audio::SoundRequest request;
  std::string lane;  ///< whom it waits for; empty: it only takes computing
  int most_in_lane = 0;

  // ---- guarded by the pool's mutex
  bool listed = true;                         ///< can be joined
  std::shared_ptr<const media::Sound> begun;  ///< what there is of it, when that is enough to begin
  std::vector<Waiting> waiting;
  std::vector<rtp::Codec> forms;  ///< that are to be made
  std::size_t bytes = 0;          ///< as counted in growing_
  std::optional<Parked::iterator> parked;
  bool came = false;  ///< something did, since the last step began

  // ---- for whoever works on it
  std::optional<SoundCache::Entry> known;  ///< what there was when it began
  std::unique_ptr<SoundOutput> output;
  std::unique_ptr<SoundSource> source;
  bool made = false;  ///< only forms may be missing
  milliseconds rest{0};
  std::weak_ptr<const media::Sound> only_form_of;  ///< add_form()
};

SoundLoaderPool::SoundLoaderPool(Options options)
    : options_(std::move(options)), cache_(options_.cache_bytes), downloads_(options_.downloads) {
  for (int at = 0; at < options_.threads; ++at) threads_.emplace_back([this] { work(false); });
}

SoundLoaderPool::~SoundLoaderPool() {
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

void SoundLoaderPool::choose_lane(Job& job) const {
  const bool file = std::holds_alternative<audio::FilePrompt>(job.request);
  const bool waits =
      file ? options_.makers.find_waits
           : !std::holds_alternative<audio::Tone>(job.request) && !std::holds_alternative<audio::UrlSound>(job.request);
  if (!waits) return;
  job.most_in_lane = options_.threads_per_lane;
  if (file) {
    job.lane = "prompts";
  } else if (options_.makers.speech_lane) {
    auto lane = options_.makers.speech_lane(job.request);
    job.lane = std::move(lane.name);
    job.most_in_lane = lane.most;
  } else {
    job.lane = "speech " + std::to_string(job.request.index());
  }
}

/// A domain can't fill the room of others: one that has nothing in it always finds a place.
bool SoundLoaderPool::has_room(const std::string& domain) {
  const auto has = [&] {
    const auto own = computing_.size(domain) + lanes_.size(domain);
    const auto all = computing_.size() + lanes_.size();
    return own < options_.most_waiting_of_a_domain && (all < options_.most_waiting || own == 0);
  };
  if (has()) return true;
  const auto gone = [this](const JobPtr& job) {
    const bool unwanted = !is_wanted(*job);
    if (unwanted) remove(*job);
    return unwanted;
  };
  computing_.remove(domain, gone);
  lanes_.remove(domain, gone);
  return has();
}

void SoundLoaderPool::load(audio::SoundRequest request, rtp::Codec codec, Wanted wanted, Done done) {
  auto job = std::make_shared<Job>();
  job->key = key_of(request);
  job->domain = audio::domain_of(request);
  job->request = std::move(request);
  choose_lane(*job);
  media::SoundPtr at_hand;
  std::string refused;
  {
    const std::lock_guard lock(mutex_);
    job->generation = generation_of(job->request);
    job->id = job->key + '\n' + std::to_string(job->generation);
    const auto* entry = current(*job);
    const auto under_way = jobs_.find(job->id);
    if (stopping_) {
      refused = stopped;
    } else if (under_way != jobs_.end()) {
      Job& other = *under_way->second;
      if (other.begun == nullptr || other.begun->payload(codec) == nullptr) {
        other.waiting.push_back({codec, std::move(wanted), std::move(done)});
        unpark(other);
        return;
      }
      at_hand = media::Sound::for_listener(other.begun);
    } else if (entry != nullptr && entry->sound->has(codec)) {
      at_hand = entry->sound;
    } else if (has_room(job->domain)) {
      if (entry != nullptr) job->lane.clear();  // only another form of it is wanted
      job->waiting.push_back({codec, std::move(wanted), std::move(done)});
      jobs_.emplace(job->id, job);
      ++under_way_;
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

void SoundLoaderPool::add_form(media::SoundPtr sound, rtp::Codec codec, const std::string& domain) {
  if (!sound) return;
  auto job = std::make_shared<Job>();
  job->domain = domain;
  job->listed = false;
  job->only_form_of = sound;
  job->forms = {codec};
  const std::lock_guard lock(mutex_);
  if (stopping_ || !has_room(domain)) return;
  ++under_way_;
  enqueue(std::move(job));
}

void SoundLoaderPool::forget(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  ++generations_[domain];
}

std::size_t SoundLoaderPool::under_way() const {
  const std::lock_guard lock(mutex_);
  return under_way_;
}

// ---------------------------------------------------------------------------------------------------- what comes next

void SoundLoaderPool::enqueue(JobPtr job) {
  const auto domain = job->domain;
  if (job->lane.empty()) {
    computing_.put(domain, std::move(job));
    wake_computing_.notify_one();
    return;
  }
  lanes_.put(domain, std::move(job));
  wake_waiting_.notify_one();
  grow();
}

/// One more thread for waiting, if none is free; when it has taken something it sees whether there has to be another.
void SoundLoaderPool::grow() {
  const auto all = static_cast<std::size_t>(options_.threads) + static_cast<std::size_t>(options_.waiting_threads);
  if (stopping_ || lanes_.empty() || idle_ > 0 || coming_ || threads_.size() >= all) return;
  coming_ = true;
  threads_.emplace_back([this] { work(true); });
}

void SoundLoaderPool::unpark(Job& job) {
  if (!job.parked) return;
  auto taken = std::move((*job.parked)->second);
  parked_.erase(*job.parked);
  job.parked.reset();
  enqueue(std::move(taken));
}

/// When the next parked job is due.
TimePoint SoundLoaderPool::release_due() {
  const auto now = Clock::now();
  while (!parked_.empty() && parked_.begin()->first <= now) unpark(*parked_.begin()->second);
  return parked_.empty() ? TimePoint::max() : parked_.begin()->first;
}

SoundLoaderPool::JobPtr SoundLoaderPool::next_job(bool waits) {
  const auto has_place = [this](const JobPtr& job) {
    return busy_.has_place(job->lane, job->most_in_lane, job->domain);
  };
  auto next = waits ? lanes_.take(has_place) : computing_.take();
  if (!next) return nullptr;
  if (waits) busy_.take((*next)->lane, (*next)->domain);
  return std::move(*next);
}

bool SoundLoaderPool::is_wanted(const Job& job) const {
  if (stopping_) return false;
  if (std::ranges::any_of(job.waiting, [](const Waiting& one) { return !one.wanted.expired(); })) return true;
  if (job.begun && job.begun->listening().listeners > 0) return true;
  return !job.only_form_of.expired();
}

/// It is not worked on any more, and nobody can join it.
void SoundLoaderPool::remove(Job& job) {
  unlist(job);
  job.waiting.clear();
  job.begun.reset();
  count(job, 0);
  --under_way_;
}

/// Nobody can join it any more.
void SoundLoaderPool::unlist(Job& job) {
  if (std::exchange(job.listed, false)) jobs_.erase(job.id);
}

/// The bytes that it holds now.
void SoundLoaderPool::count(Job& job, std::size_t bytes) {
  auto& own = growing_[job.domain];
  own = own + bytes - job.bytes;
  growing_bytes_ = growing_bytes_ + bytes - job.bytes;
  job.bytes = bytes;
  if (own == 0) growing_.erase(job.domain);
}

// ------------------------------------------------------------------------------------------------------- the threads

/// Threads for computing look after what is parked.
SoundLoaderPool::JobPtr SoundLoaderPool::await_job(std::unique_lock<std::mutex>& lock, bool waits) {
  for (;;) {
    if (stopping_) return nullptr;
    const auto due = waits ? TimePoint::max() : release_due();
    if (auto job = next_job(waits)) {
      if (waits) grow();
      return job;
    }
    auto& wake = waits ? wake_waiting_ : wake_computing_;
    if (waits) ++idle_;
    if (due == TimePoint::max()) {
      wake.wait(lock);
    } else {
      wake.wait_until(lock, due);
    }
    if (waits) --idle_;
  }
}

void SoundLoaderPool::work(bool waits) {
  name_this_thread("sounds");
  Tools tools(options_.makers);
  std::unique_lock lock(mutex_);
  if (waits) coming_ = false;
  while (auto job = await_job(lock, waits)) {
    const auto lane = job->lane, domain = job->domain;
    if (is_wanted(*job)) {
      job->came = false;
      lock.unlock();
      run(job, tools);
      job.reset();
      lock.lock();
    } else if (!stopping_) {
      remove(*job);
    }
    if (!waits) continue;
    busy_.give_back(lane, domain);
    wake_waiting_.notify_one();  // a job may have waited for its lane
  }
}

void SoundLoaderPool::run(const JobPtr& job, Tools& tools) {
  Next next = Next::over;
  try {
    next = advance(job, tools);
  } catch (const std::exception& problem) {
    // One sound that can't be made is no reason to stop making others.
    fail_all(*job, problem.what());
  }
  const std::lock_guard lock(mutex_);
  // Whoever has joined since is served in another step, or by another job.
  if (next == Next::over && !job->waiting.empty()) next = Next::again;
  if (next == Next::over || (next == Next::later && !is_wanted(*job))) {
    remove(*job);
    return;
  }
  const bool joined = job->begun && !job->waiting.empty();
  if (next == Next::again || job->came || joined) return enqueue(job);
  job->parked = parked_.emplace(Clock::now() + job->rest, job);
  wake_computing_.notify_one();
}

/// One step.
SoundLoaderPool::Next SoundLoaderPool::advance(const JobPtr& job, Tools& tools) {
  if (job->output == nullptr && !job->made) begin(job);
  std::shared_ptr<const media::Sound> begun;
  {
    const std::lock_guard lock(mutex_);
    begun = job->begun;
  }
  if (begun) serve(*job, std::const_pointer_cast<media::Sound>(begun));
  if (!encode(*job)) return Next::again;
  if (job->made) return Next::over;
  const auto next = pace(*job);
  if (next && *next == Next::later) return Next::later;
  const auto step = next.and_then([&](Next) { return job->source->step(*job->output, tools); });
  if (!step) {
    fail_all(*job, step.error().message);
    return Next::over;
  }
  if (*step == SoundSource::Step::more) return Next::again;
  if (*step == SoundSource::Step::later) {
    job->rest = look_again;
    return Next::later;
  }
  if (!job->source->made().unchanged && job->output->empty()) {
    fail_all(*job, "contains no audio");
    return Next::over;
  }
  end(*job);
  return encode(*job) ? Next::over : Next::again;
}

/// Its first step.
void SoundLoaderPool::begin(const JobPtr& job) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto* entry = wants_refresh(job->request) ? nullptr : cache_.find(job->key)) job->known = *entry;
    const auto sound = job->only_form_of.lock();
    if (!job->listed || current(*job) != nullptr) {
      job->made = true;
      job->begun = job->listed ? job->known->sound : sound;
      return;
    }
  }
  job->output = std::make_unique<SoundOutput>(
      [this, job = job.get()](const std::shared_ptr<media::Sound>& sound) { serve(*job, sound); },
      [this, job = job.get()] {
        const std::lock_guard lock(mutex_);
        return is_wanted(*job);
      });
  job->source = make_source(job->request, job->known ? job->known->etag : std::string(), downloads_,
                            [this, one = std::weak_ptr(job)] { came(one); });
}

/// All of it is there: serves those who wait, and keeps it.
void SoundLoaderPool::end(Job& job) {
  const auto& made = job.source->made();
  job.made = true;
  if (!made.unchanged) job.output->finish();
  if (made.unchanged) serve(job, std::const_pointer_cast<media::Sound>(job.known->sound));
  const std::lock_guard lock(mutex_);
  SoundCache::Entry entry{job.begun, made.etag, job.generation};
  if (made.fresh_for) entry.fresh_until = Clock::now() + *made.fresh_for;
  const auto* held = cache_.find(job.key);
  const bool older = held != nullptr && held->generation > job.generation;
  if (job.listed && made.may_be_kept && !older && entry.sound->whole()) cache_.put(job.key, std::move(entry));
}

/// What there is of it ends here.
void SoundLoaderPool::fail_all(Job& job, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    unlist(job);
  }
  job.made = true;
  if (job.output && !job.output->empty()) job.output->finish(why);
  serve(job, fail(why));
}

/// Whether it is far enough ahead to be left alone for a while. Lets go of what has been heard, unless it is kept. An
/// error if too much would have to be kept.
Result<SoundLoaderPool::Next> SoundLoaderPool::pace(Job& job) {
  const auto begun = [&] {
    const std::lock_guard lock(mutex_);
    return job.begun;
  }();
  if (!begun) return Next::again;
  const auto listening = begun->listening();
  const auto bytes = begun->memory();
  const auto heard = milliseconds(listening.furthest * media::frame_ms);
  const auto made = milliseconds(begun->frames() * media::frame_ms);
  bool kept = true;
  {
    const std::lock_guard lock(mutex_);
    count(job, bytes);
    const bool room =
        growing_bytes_ <= options_.growing_bytes && growing_[job.domain] <= options_.growing_bytes_of_a_domain;
    kept = made <= joinable || (room && job.listed && job.source->made().may_be_kept);
    if (!kept && job.waiting.empty()) unlist(job);
    kept = kept || job.listed;  // somebody has just joined
    if (!room && !kept && listening.needed == 0 && heard > joinable)
      return fail("what is heard in a loop is longer than there is memory for");
  }
  if (!kept) std::const_pointer_cast<media::Sound>(begun)->trim(listening.needed);
  job.rest = made - heard - ahead / 2;
  return job.rest >= ahead / 2 ? Next::later : Next::again;
}

/// Something came for it.
void SoundLoaderPool::came(const std::weak_ptr<Job>& job) {
  const auto one = job.lock();
  if (!one) return;
  const std::lock_guard lock(mutex_);
  one->came = true;
  unpark(*one);
}

/// Makes some more of the forms that are wanted. True: nothing is missing.
bool SoundLoaderPool::encode(Job& job) {
  std::shared_ptr<const media::Sound> begun;
  std::vector<rtp::Codec> forms;
  {
    const std::lock_guard lock(mutex_);
    begun = job.begun;
    forms = job.forms;
  }
  if (!begun) return true;
  bool all = true;
  for (const auto codec : forms) all = begun->encode(codec, frames_in_a_step) && all;
  return all;
}

/// Gives the sound, or the reason why there is none, to those who wait for it now.
void SoundLoaderPool::serve(Job& job, const Result<std::shared_ptr<media::Sound>>& sound) {
  std::vector<Waiting> all;
  {
    const std::lock_guard lock(mutex_);
    if (sound) job.begun = *sound;
    all = std::exchange(job.waiting, {});
    std::erase_if(all, [](const Waiting& one) { return one.wanted.expired(); });
    for (const auto& one : all)
      if (sound && std::ranges::find(job.forms, one.codec) == job.forms.end()) job.forms.push_back(one.codec);
  }
  for (auto& one : all) {
    if (sound) (*sound)->encode(one.codec, frames_in_a_step);
    if (!sound) {
      one.done(tl::unexpected(sound.error()));
    } else if ((*sound)->payload(one.codec) == nullptr) {
      one.done(fail("sounds can't be encoded for " + std::string(rtp::facts(one.codec).name) + " yet"));
    } else {
      one.done(media::Sound::for_listener(*sound));
    }
  }
}

}  // namespace rw::sounds
