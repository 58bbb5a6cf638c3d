#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "call/services.h"

namespace rw::call {

/// A sound that a leg hears in a loop whenever nothing else is to be heard: a background prompt, ringback, music for
/// the held. One at a time for each leg.
class BackgroundSound {
 public:
  /// Told why the sound could not be made ready.
  using Failed = std::function<void(const std::string& problem)>;
  BackgroundSound(Services& services, media::LegId leg) : services_(services), leg_(leg) {}
  ~BackgroundSound() { stop(); }
  BackgroundSound(const BackgroundSound&) = delete;
  BackgroundSound& operator=(const BackgroundSound&) = delete;

  /// Replaces what is heard. `pause`: silence between two rounds.
  void start(audio::SoundRequest sound, rtp::Codec codec, std::chrono::milliseconds pause, Failed failed);
  void stop();
  /// The leg's codec is another one now.
  void codec_changed(rtp::Codec codec);
  bool running() const { return round_ != nullptr; }

 private:
  Services& services_;
  const media::LegId leg_;
  rtp::Codec codec_ = rtp::Codec::pcma;
  std::string domain_;
  media::SoundPtr sound_;       ///< once it is there
  std::shared_ptr<int> round_;  ///< lives as long as one start(); answers for an earlier one find it gone
};

}  // namespace rw::call
