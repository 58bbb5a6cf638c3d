#include "speech/speech_cache.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <utility>
#include <vector>

#include "auth/signature_v4.h"

namespace rw::speech {
namespace {

using PiecePtr = std::shared_ptr<const audio::Samples>;

/// Hands a whole speech over in pieces, so that the first can be used at once.
void hand_over(const audio::Samples& whole, const SpeechEngine::Take& take) {
  const std::size_t step = whole.rate;  // a second
  for (std::size_t at = 0; at < whole.samples.size(); at += step) {
    const auto begin = whole.samples.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(step, whole.samples.size() - at));
    if (!take({{begin, end}, whole.rate})) return;
  }
}

/// Those who want it synthesised anew don't join a flight that may have found it in the cache.
std::string flight_name(const std::string& key, bool refresh) {
  return refresh ? key + " anew" : key;
}

}  // namespace

/// One synthesis under way, with all that has come of it.
class SpeechCache::Flight {
 public:
  /// One more follows. False: it was given up, because nobody wanted more.
  bool join() {
    const std::lock_guard lock(mutex_);
    if (given_up_) return false;
    ++followers_;
    return true;
  }
  void add(PiecePtr piece) {
    const std::lock_guard lock(mutex_);
    pieces_.push_back(std::move(piece));
    changed_.notify_all();
  }
  /// Its leader wants no more. True: nobody else does either.
  bool give_up() {
    const std::lock_guard lock(mutex_);
    given_up_ = followers_ == 0;
    return given_up_;
  }
  void end(Result<void> result) {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    changed_.notify_all();
  }
  /// For one that has joined: all pieces from the first on, as they come.
  Result<void> follow(const Take& take) {
    Result<void> result;
    for (std::size_t at = 0;; ++at) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return at < pieces_.size() || result_; });
      if (at == pieces_.size()) {
        result = *result_;
        break;
      }
      const PiecePtr piece = pieces_[at];
      lock.unlock();
      if (!take(*piece)) break;
    }
    const std::lock_guard lock(mutex_);
    --followers_;
    return result;
  }
  /// After its end.
  audio::Samples whole() const {
    const std::lock_guard lock(mutex_);
    audio::Samples all;
    for (const auto& piece : pieces_) {
      all.rate = piece->rate;
      all.samples.insert(all.samples.end(), piece->samples.begin(), piece->samples.end());
    }
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<PiecePtr> pieces_;
  std::optional<Result<void>> result_;  ///< once it is over
  int followers_ = 0;
  bool given_up_ = false;
};

SpeechCache::SpeechCache(Options options) : options_(std::move(options)) {}
SpeechCache::~SpeechCache() = default;

std::string SpeechCache::key_of(std::initializer_list<std::string_view> parts) {
  std::string text = "1";  // of the form of what is kept
  for (const auto part : parts) {
    text += '\n' + std::to_string(part.size()) + '\n';
    text += part;
  }
  return auth::payload_hash(text);
}

Result<void> SpeechCache::speak(const std::string& key, const audio::SpeechCaching& caching,
                                const Synthesise& synthesise, const Take& take) {
  const auto name = flight_name(key, caching.refresh);
  std::shared_ptr<Flight> flight;
  bool leads = false;
  {
    const std::lock_guard lock(mutex_);
    flight = join(flight_name(key, true));
    if (!flight && !caching.refresh) flight = join(name);
    leads = !flight;
    if (leads) flight = flights_[name] = std::make_shared<Flight>();
  }
  if (!leads) return flight->follow(take);
  auto result = lead(key, caching, synthesise, take, *flight);
  land(name, flight);
  return result;
}

/// The flight of that name, if there is one that can be joined. With the lock held.
std::shared_ptr<SpeechCache::Flight> SpeechCache::join(const std::string& name) {
  const auto found = flights_.find(name);
  return found != flights_.end() && found->second->join() ? found->second : nullptr;
}

/// Its end is told before it is kept, but it can be joined until then, so that nobody finds neither.
Result<void> SpeechCache::lead(const std::string& key, const audio::SpeechCaching& caching,
                               const Synthesise& synthesise, const Take& take, Flight& flight) {
  bool wanted = true, given_up = false;
  const auto pass_on = [&](audio::Samples samples) {
    const auto piece = std::make_shared<const audio::Samples>(std::move(samples));
    flight.add(piece);
    wanted = wanted && take(*piece);
    given_up = !wanted && flight.give_up();
    return !given_up;
  };
  Result<void> result;
  bool made = false;
  try {
    auto kept = caching.refresh ? std::nullopt : find(key);
    if (kept) {
      hand_over(kept->audio, pass_on);
    } else {
      result = synthesise(pass_on);
      made = result && !given_up;
    }
  } catch (const std::exception& problem) {
    result = fail(problem.what());
  }
  flight.end(result);
  if (made) keep(key, caching, flight);
  return result;
}

void SpeechCache::land(const std::string& name, const std::shared_ptr<Flight>& flight) {
  const std::lock_guard lock(mutex_);
  const auto found = flights_.find(name);
  if (found != flights_.end() && found->second == flight) flights_.erase(found);
}

std::optional<SpeechEntry> SpeechCache::find(const std::string& key) {
  if (options_.folder) {
    if (auto kept = options_.folder->find(key)) return kept;
  }
  if (!options_.shared) return std::nullopt;
  auto bytes = options_.shared->get(key);
  if (!bytes) {
    warn("the shared store can't be read", bytes.error().message);
    return std::nullopt;
  }
  if (!*bytes) return std::nullopt;
  auto entry = unpack(**bytes, key);
  if (!entry) {
    warn("an entry of the shared store is broken", entry.error().message);
    return std::nullopt;
  }
  if (entry->expires <= options_.now()) return std::nullopt;
  if (options_.folder) {
    if (auto put = options_.folder->put(key, **bytes); !put) warn("not kept", put.error().message);
  }
  return std::move(*entry);
}

void SpeechCache::keep(const std::string& key, const audio::SpeechCaching& caching, const Flight& flight) {
  if (caching.time_to_live.count() <= 0 || (!options_.folder && !options_.shared)) return;
  try {
    const SpeechEntry entry{flight.whole(), options_.now() + caching.time_to_live.count()};
    const auto bytes = pack(entry, key);
    if (auto valid = unpack(bytes, key); !valid) {
      warn("not kept", valid.error().message);
      return;
    }
    if (options_.folder) {
      if (auto put = options_.folder->put(key, bytes); !put) warn("not kept", put.error().message);
    }
    if (options_.shared) {
      if (auto put = options_.shared->put(key, bytes, entry.expires); !put)
        warn("not kept in the shared store", put.error().message);
    }
  } catch (const std::exception& problem) {
    warn("not kept", problem.what());
  }
}

/// A full disk would fill the log as well.
void SpeechCache::warn(const std::string& what, const std::string& why) {
  constexpr std::int64_t interval = 10;  // seconds
  {
    const std::lock_guard lock(mutex_);
    const auto now = options_.now();
    if (warned_ != 0 && now - warned_ < interval) return;
    warned_ = now;
  }
  options_.log.warning("speech cache: " + what, {ops::text("reason", why)});
}

}  // namespace rw::speech
