#include "sounds/sound_cache.h"

#include <iterator>
#include <utility>

namespace rw::sounds {

const SoundCache::Entry* SoundCache::find(const std::string& key) {
  const auto found = held_.find(key);
  if (found == held_.end()) return nullptr;
  ages_.splice(ages_.end(), ages_, found->second.age);
  return &found->second.entry;
}

void SoundCache::put(const std::string& key, Entry entry) {
  remove(key);
  const auto bytes = entry.sound->memory() + key.size();
  if (bytes > most_bytes_ / 2) return;
  ages_.push_back(key);
  held_.emplace(key, Held{std::move(entry), bytes, std::prev(ages_.end())});
  bytes_ += bytes;
  while (bytes_ > most_bytes_) remove(ages_.front());
}

void SoundCache::remove(const std::string& key) {
  const auto found = held_.find(key);
  if (found == held_.end()) return;
  bytes_ -= found->second.bytes;
  const auto age = found->second.age;
  held_.erase(found);
  ages_.erase(age);
}

}  // namespace rw::sounds
