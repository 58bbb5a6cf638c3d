#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "media/sound.h"

namespace rw::sounds {

/// Complete sounds by key; the least recently used goes first. Not thread-safe.
class SoundCache {
 public:
  struct Entry {
    media::SoundPtr sound;
    std::string etag;              ///< version of where it came from, or empty
    std::uint64_t generation = 0;  ///< of the domain's prompts when it was last looked at
    TimePoint fresh_until = TimePoint::max();
  };

  explicit SoundCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}
  /// Null if there is none; valid until the next call. It is used now.
  const Entry* find(const std::string& key);
  /// In place of what had the key. What takes half of all the room or more is not kept.
  void put(const std::string& key, Entry entry);
  void remove(const std::string& key);

 private:
  struct Held {
    Entry entry;
    std::size_t bytes = 0;
    std::list<std::string>::iterator age;
  };
  const std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, Held> held_;
  std::list<std::string> ages_;  ///< keys, the least recently used first
};

}  // namespace rw::sounds
