#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audio/decode.h"
#include "audio/resample.h"
#include "base/result.h"
#include "media/sound.h"

namespace rw::sounds {

/// Where a maker puts a sound, in pieces of any rate: they become a growing Sound at 8000 Hz, which is shown as soon as
/// there is enough of it to begin.
class SoundOutput {
 public:
  using Show = std::function<void(const std::shared_ptr<media::Sound>&)>;
  /// `show` gets the sound once there is enough, and again with every piece that comes after that. `wanted`: see
  /// there.
  explicit SoundOutput(
      Show show, std::function<bool()> wanted = [] { return true; });

  /// An error if it gets too long.
  Result<void> append(std::span<const float> piece, std::uint32_t rate);
  Result<void> append(const audio::Samples& piece);
  /// Nothing was appended so far.
  bool empty() const { return resampler_ == nullptr && !begun_; }
  /// No more comes; `problem` as in Sound::finish(). Shows it, unless there is nothing.
  media::SoundPtr finish(std::string problem = {});
  /// Somebody waits for it, or hears it.
  bool wanted() const { return wanted_(); }
  std::chrono::milliseconds duration() const { return sound_->duration(); }

 private:
  Result<void> add(std::span<const std::int16_t> samples);
  void finish_resampling();

  const Show show_;
  const std::function<bool()> wanted_;
  const std::shared_ptr<media::Sound> sound_;
  std::unique_ptr<audio::Resampler> resampler_;
  std::uint32_t rate_ = 0;  ///< that resampler_ is given
  bool begun_ = false;      ///< there were pieces
  std::vector<std::int16_t> converted_;
};

}  // namespace rw::sounds
