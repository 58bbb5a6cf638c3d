#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "media/sound.h"

namespace rw::media {

/// A place in a Sound that moves on by one 20 ms frame at a time; or in silence of some length.
class SoundCursor {
 public:
  /// `sound` null: `silence` instead. `loop`: never over; `pause` of silence between two rounds.
  SoundCursor(SoundPtr sound, std::chrono::milliseconds silence, bool loop, std::chrono::milliseconds pause);

  /// The payload of the next frame; empty for silence. While the sound has no payload form for `codec` yet, or has not
  /// grown that far, silence, and the cursor stays where it is.
  std::span<const std::uint8_t> next(rtp::Codec codec);
  /// The last frame has been taken.
  bool over() const { return over_; }
  /// Something was heard of it, and it goes on.
  bool in_the_middle() const { return frame_ > 0; }

 private:
  void end_round();

  SoundPtr sound_;
  Listener* listener_ = nullptr;  ///< of sound_
  std::size_t frame_ = 0;
  std::uint32_t silent_frames_ = 0;  ///< still to come, before the sound goes on
  std::uint32_t pause_frames_;
  bool loop_;
  bool over_ = false;
};

}  // namespace rw::media
