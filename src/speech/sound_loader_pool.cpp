#include "speech/sound_loader_pool.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "audio/decode.h"
#include "audio/resample.h"
#include "media/tone.h"

namespace rw::speech {
namespace {

constexpr std::uint32_t telephone_rate = 8000;
constexpr const char* stopped = "the server is stopping";

Result<audio::Samples> render(const audio::Tone& tone) {
  media::ToneSpec spec;
  if (!tone.name.empty()) {
    auto planned = media::plan_tone(tone.plan, tone.name);
    if (!planned) return tl::unexpected(planned.error());
    spec = std::move(*planned);
  } else {
    spec.frequencies = tone.frequencies;
    if (tone.on.count() > 0) spec.cadence = {tone.on, tone.off};
  }
  const auto length = std::min<std::chrono::milliseconds>(tone.length, audio::max_duration);
  return audio::Samples{media::tone_samples(spec, length, telephone_rate), telephone_rate};
}

/// What is ready to be encoded, of samples at any rate.
Result<media::SoundPtr> finished(Result<audio::Samples> samples) {
  if (samples) samples = audio::resample(std::move(*samples), telephone_rate);
  if (!samples) return tl::unexpected(samples.error());
  if (samples->samples.empty()) return fail("contains no audio");
  return std::make_shared<const media::Sound>(std::move(samples->samples), samples->rate);
}

}  // namespace

SoundLoaderPool::SoundLoaderPool(Options options) : options_(std::move(options)) {
  for (int at = 0; at < options_.threads; ++at) threads_.emplace_back([this] { work(); });
}

SoundLoaderPool::~SoundLoaderPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  for (auto& [key, all] : std::exchange(waiting_, {})) {
    for (auto& one : all) one.done(fail(stopped));
  }
}

std::string SoundLoaderPool::key_of(const audio::SoundRequest& request) {
  struct Visitor {
    std::string operator()(const audio::FilePrompt& file) const { return "file\n" + file.domain + "\n" + file.name; }
    std::string operator()(const audio::SpokenText& spoken) const {
      return "speech\n" + spoken.voice + "\n" + spoken.language + (spoken.ssml ? "\nssml\n" : "\ntext\n") + spoken.text;
    }
    std::string operator()(const audio::PollySpeech& spoken) const {
      return "polly\n" + spoken.region + "\n" + spoken.parameters;
    }
    std::string operator()(const audio::GoogleSpeech& spoken) const { return "google\n" + spoken.parameters; }
    std::string operator()(const audio::Tone& tone) const {
      std::string key = "tone\n" + tone.plan + "\n" + tone.name;
      for (const double frequency : tone.frequencies) key += "\n" + std::to_string(frequency);
      for (const auto time : {tone.on, tone.off, tone.length}) key += "\n" + std::to_string(time.count());
      return key;
    }
  };
  return std::visit(Visitor{}, request);
}

std::uint64_t SoundLoaderPool::generation_of(const audio::SoundRequest& request) const {
  const auto* file = std::get_if<audio::FilePrompt>(&request);
  if (file == nullptr) return 0;
  const auto found = generations_.find(file->domain);
  return found == generations_.end() ? 0 : found->second;
}

void SoundLoaderPool::load(audio::SoundRequest request, rtp::Codec codec, Done done) {
  Job job{key_of(request), 0, std::move(request)};
  media::SoundPtr at_hand;
  std::string refused;
  {
    const std::lock_guard lock(mutex_);
    job.generation = generation_of(job.request);
    const auto found = cache_.find(job.key);
    if (found != cache_.end() && found->second.generation == job.generation && found->second.sound->payload(codec)) {
      at_hand = found->second.sound;
      ages_.splice(ages_.end(), ages_, found->second.age);
    } else if (stopping_) {
      refused = stopped;
    } else if (const auto under_way = waiting_.find(job.id()); under_way != waiting_.end()) {
      under_way->second.push_back({codec, std::move(done)});
      return;
    } else if (jobs_.size() < options_.most_waiting) {
      waiting_[job.id()].push_back({codec, std::move(done)});
      jobs_.push_back(std::move(job));
      wake_.notify_one();
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

void SoundLoaderPool::work() {
  const auto engine = options_.make_engine();
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    std::string etag;
    const auto sound = make(job, *engine, etag);
    deliver(job, sound, etag);
  }
}

media::SoundPtr SoundLoaderPool::cached(const std::string& key, const std::string& etag) {
  const std::lock_guard lock(mutex_);
  const auto found = cache_.find(key);
  return found != cache_.end() && found->second.etag == etag ? found->second.sound : nullptr;
}

Result<media::SoundPtr> SoundLoaderPool::make_file(const Job& job, const audio::FilePrompt& file, std::string& etag) {
  Result<PromptFile> prompt = options_.find(file);
  for (;;) {
    if (!prompt) return tl::unexpected(prompt.error());
    etag = prompt->etag;
    if (auto known = cached(job.key, etag)) return known;
    auto sound = finished(audio::decode_file_at(prompt->path, telephone_rate));
    if (sound) return sound;
    // Perhaps it was replaced, and the file removed, between the look-up and here.
    auto again = options_.find(file);
    if (again && again->path == prompt->path) return tl::unexpected(sound.error());
    prompt = std::move(again);
  }
}

Result<media::SoundPtr> SoundLoaderPool::make(const Job& job, SpeechEngine& engine, std::string& etag) {
  try {
    if (const auto* file = std::get_if<audio::FilePrompt>(&job.request)) return make_file(job, *file, etag);
    if (auto known = cached(job.key, etag)) return known;  // only another codec's form is missing
    if (const auto* spoken = std::get_if<audio::SpokenText>(&job.request))
      return finished(speak_whole(engine, *spoken));
    return finished(render(std::get<audio::Tone>(job.request)));
  } catch (const std::exception& problem) {
    return fail(problem.what());  // one sound that can't be made is no reason to stop making others
  }
}

void SoundLoaderPool::deliver(const Job& job, const Result<media::SoundPtr>& sound, const std::string& etag) {
  // Callers may join while the forms are made: until nobody has, they are all served by this job.
  for (;;) {
    std::vector<Waiting> all;
    {
      const std::lock_guard lock(mutex_);
      const auto waiting = waiting_.find(job.id());
      if (waiting->second.empty()) {
        waiting_.erase(waiting);
        if (sound) remember(job, *sound, etag);
        return;
      }
      all = std::exchange(waiting->second, {});
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
}

void SoundLoaderPool::remember(const Job& job, media::SoundPtr sound, const std::string& etag) {
  const auto held = cache_.find(job.key);
  if (held != cache_.end() && held->second.generation > job.generation) return;
  evict(job.key);
  const auto bytes = sound->memory() + job.key.size();
  if (bytes > options_.cache_bytes / 2) return;
  ages_.push_back(job.key);
  cache_.emplace(job.key, Entry{std::move(sound), etag, job.generation, bytes, std::prev(ages_.end())});
  cached_bytes_ += bytes;
  while (cached_bytes_ > options_.cache_bytes) evict(ages_.front());
}

void SoundLoaderPool::evict(const std::string& key) {
  const auto found = cache_.find(key);
  if (found == cache_.end()) return;
  cached_bytes_ -= found->second.bytes;
  ages_.erase(found->second.age);
  cache_.erase(found);
}

}  // namespace rw::speech
