#include "media/sound_cursor.h"

#include <algorithm>
#include <utility>

#include "media/codec.h"

namespace rw::media {
namespace {

std::uint32_t frames_of(std::chrono::milliseconds length) {
  constexpr std::int64_t longest =
      std::chrono::milliseconds(std::chrono::hours(24 * 365)) / std::chrono::milliseconds(frame_ms);
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>((length.count() + frame_ms - 1) / frame_ms, 0, longest));
}

}  // namespace

SoundCursor::SoundCursor(SoundPtr sound, std::chrono::milliseconds silence, bool loop, std::chrono::milliseconds pause)
    : sound_(std::move(sound)), listener_(Sound::listener_of(sound_)), pause_frames_(frames_of(pause)), loop_(loop) {
  if (sound_ && sound_->complete() && sound_->duration().count() == 0)
    sound_.reset(), listener_ = nullptr;
  else if (!sound_)
    silent_frames_ = frames_of(silence);
  if (!sound_ && silent_frames_ == 0) over_ = !loop_;
}

std::span<const std::uint8_t> SoundCursor::next(rtp::Codec codec) {
  if (silent_frames_ > 0) {
    if (--silent_frames_ == 0 && !sound_) end_round();
    return {};
  }
  if (!sound_) return {};
  if (listener_ != nullptr) listener_->move(frame_, loop_ ? 0 : frame_);
  const bool complete = sound_->complete();  // asked before how much there is
  const Payload* payload = sound_->payload(codec);
  if (payload == nullptr) return {};
  const std::size_t frames = payload->frames();
  if (frame_ >= frames) {
    if (complete && frames >= sound_->frames()) end_round();
    return {};
  }
  const std::span<const std::uint8_t> frame = payload->frame(frame_);
  if (++frame_ >= frames && complete && frames >= sound_->frames()) end_round();
  return frame;
}

void SoundCursor::end_round() {
  frame_ = 0;
  silent_frames_ = pause_frames_;
  over_ = !loop_;
}

}  // namespace rw::media
