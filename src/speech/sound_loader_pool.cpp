#include "speech/sound_loader_pool.h"

#include <utility>

#include "audio/decode.h"
#include "audio/resample.h"
#include "media/tone.h"

namespace rw::speech {
namespace {

constexpr std::uint32_t telephone_rate = 8000;

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
  return audio::Samples{media::tone_samples(spec, tone.length, telephone_rate), telephone_rate};
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
    for (auto& one : all) one.done(fail("the server is stopping"));
  }
}

std::string SoundLoaderPool::key_of(const audio::SoundRequest& request) {
  struct Visitor {
    std::string operator()(const audio::FilePrompt& file) const { return "file\n" + file.domain + "\n" + file.name; }
    std::string operator()(const audio::SpokenText& spoken) const {
      return "speech\n" + spoken.voice + "\n" + spoken.language + (spoken.ssml ? "\nssml\n" : "\ntext\n") + spoken.text;
    }
    std::string operator()(const audio::Tone& tone) const {
      std::string key = "tone\n" + tone.plan + "\n" + tone.name;
      for (const double frequency : tone.frequencies) key += "\n" + std::to_string(frequency);
      for (const auto time : {tone.on, tone.off, tone.length}) key += "\n" + std::to_string(time.count());
      return key;
    }
  };
  return std::visit(Visitor{}, request);
}

void SoundLoaderPool::load(audio::SoundRequest request, rtp::Codec codec, Done done) {
  auto key = key_of(request);
  media::SoundPtr at_hand;
  {
    const std::lock_guard lock(mutex_);
    const auto found = cache_.find(key);
    if (found != cache_.end() && found->second.sound->payload(codec) != nullptr) {
      at_hand = found->second.sound;
      ages_.splice(ages_.end(), ages_, found->second.age);
    } else if (!stopping_ && jobs_.size() < options_.most_waiting) {
      const auto [entry, fresh] = waiting_.try_emplace(key);
      entry->second.push_back({codec, std::move(done)});
      if (!fresh) return;  // the job is on its way
      jobs_.push_back({std::move(key), std::move(request)});
      wake_.notify_one();
      return;
    }
  }
  if (at_hand) {
    done(at_hand);
  } else {
    done(fail("too many sounds are waiting to be made"));
  }
}

void SoundLoaderPool::forget(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  const auto prefix = "file\n" + domain + "\n";
  std::vector<std::string> stale;
  for (const auto& [key, entry] : cache_) {
    if (key.starts_with(prefix)) stale.push_back(key);
  }
  for (const auto& key : stale) evict(key);
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
    deliver(job.key, sound, etag);
  }
}

Result<media::SoundPtr> SoundLoaderPool::make(const Job& job, SpeechEngine& engine, std::string& etag) {
  Result<audio::Samples> samples = fail("");
  if (const auto* file = std::get_if<audio::FilePrompt>(&job.request)) {
    const auto prompt = options_.find(*file);
    if (!prompt) return tl::unexpected(prompt.error());
    etag = prompt->etag;
    {
      const std::lock_guard lock(mutex_);
      const auto found = cache_.find(job.key);
      if (found != cache_.end() && found->second.etag == etag)
        return found->second.sound;  // only another codec's form is missing
    }
    samples = audio::decode_file(prompt->path);
  } else if (const auto* spoken = std::get_if<audio::SpokenText>(&job.request)) {
    samples = engine.synthesise(*spoken);
  } else {
    samples = render(std::get<audio::Tone>(job.request));
  }
  if (samples) samples = audio::resample(std::move(*samples), telephone_rate);
  if (!samples) return tl::unexpected(samples.error());
  if (samples->samples.empty()) return fail("contains no audio");
  return std::make_shared<const media::Sound>(std::move(samples->samples), samples->rate);
}

void SoundLoaderPool::deliver(const std::string& key, const Result<media::SoundPtr>& sound, const std::string& etag) {
  // Callers may join while the forms are made: until nobody has, they are all served by this job.
  for (;;) {
    std::vector<Waiting> all;
    {
      const std::lock_guard lock(mutex_);
      auto& waiting = waiting_[key];
      if (waiting.empty()) {
        waiting_.erase(key);
        if (sound) remember(key, *sound, etag);
        return;
      }
      all = std::exchange(waiting, {});
    }
    for (auto& one : all) {
      if (sound) (*sound)->encode(one.codec);
      one.done(sound);
    }
  }
}

void SoundLoaderPool::remember(const std::string& key, media::SoundPtr sound, const std::string& etag) {
  evict(key);
  const auto bytes = sound->memory() + key.size();
  if (bytes > options_.cache_bytes / 4) return;
  ages_.push_back(key);
  cache_.emplace(key, Entry{std::move(sound), etag, bytes, std::prev(ages_.end())});
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
