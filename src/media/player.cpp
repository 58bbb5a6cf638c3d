#include "media/player.h"

#include <algorithm>
#include <utility>

#include "media/codec.h"

namespace rw::media {
namespace {

/// Items in the queue, so that a peer that presses keys faster than they can be heard does not fill the memory.
constexpr std::size_t most_unreported = 64;

}  // namespace

void Player::add(Play play) {
  queue_.push_back({play.id, SoundCursor(std::move(play.sound), play.silence, play.loop, play.pause)});
}

void Player::add(SendDigits digits) {
  const PlayId id = digits.id;
  if (id == unreported_play && queue_.size() >= most_unreported) return;
  queue_.push_back({id, DigitSequence(std::move(digits))});
}

void Player::add(Echo echo) {
  const auto frames = (std::max<std::int64_t>(echo.length.count(), 0) + frame_ms - 1) / frame_ms;
  queue_.push_back({echo.id, EchoTime{static_cast<std::uint64_t>(frames)}});
}

void Player::stop(PlayId item) {
  const auto found = std::ranges::find(queue_, item, &Item::id);
  if (found == queue_.end()) return;
  if (found == queue_.begin()) cut(*found);
  queue_.erase(found);
  ended_.push_back({item, false});
}

void Player::stop_all() {
  if (!queue_.empty()) cut(queue_.front());
  for (const Item& item : queue_) ended_.push_back({item.id, false});
  queue_.clear();
}

void Player::cut(const Item& item) {
  const auto* sound = std::get_if<SoundCursor>(&item.what);
  if (sound != nullptr && sound->in_the_middle()) cut_off_ = *sound;
}

void Player::set_background(SoundPtr sound, std::chrono::milliseconds pause) {
  if (std::exchange(background_sounds_, false) && background_->in_the_middle()) cut_off_ = std::move(background_);
  background_.reset();
  if (sound) background_.emplace(std::move(sound), std::chrono::milliseconds(0), true, pause);
}

Player::Frame Player::next(rtp::Codec codec, const std::optional<rtp::EventFormat>& events, std::uint32_t timestamp) {
  while (!queue_.empty() && is_over(queue_.front())) drop_front();  // items without length
  if (!queue_.empty() && std::exchange(background_sounds_, false) && background_->in_the_middle()) {
    cut_off_ = background_;
    background_->next(codec);  // the frame that fades out
  }
  if (cut_off_ && is_g711(codec)) {
    Frame frame;
    frame.payload = faded(Fade::out, codec, cut_off_->next(codec));
    cut_off_.reset();
    return frame;
  }
  cut_off_.reset();
  if (!queue_.empty()) return next_of(queue_.front(), codec, events, timestamp);
  return next_background(codec);
}

Player::Frame Player::next_background(rtp::Codec codec) {
  Frame frame;
  if (!background_) return frame;
  const bool goes_on = !std::exchange(background_sounds_, true) && background_->in_the_middle();
  frame.payload = background_->next(codec);
  if (goes_on) frame.payload = faded(Fade::in, codec, frame.payload);
  return frame;
}

/// `payload` of one of the G.711 codecs, from silence or to silence.
std::span<const std::uint8_t> Player::faded(Fade fade, rtp::Codec codec, std::span<const std::uint8_t> payload) {
  if (!is_g711(codec)) return payload;
  const bool alaw = codec == rtp::Codec::pcma;
  const std::size_t count = std::min(payload.size(), faded_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const int sample = alaw ? from_alaw(payload[i]) : from_ulaw(payload[i]);
    const auto level = static_cast<int>(fade == Fade::in ? i : count - 1 - i);
    const auto scaled = static_cast<std::int16_t>(sample * level / static_cast<int>(count));
    faded_[i] = alaw ? to_alaw(scaled) : to_ulaw(scaled);
  }
  return std::span(faded_).first(count);
}

void Player::frame_sent() {
  if (!queue_.empty() && is_over(queue_.front())) drop_front();
}

bool Player::is_over(const Item& item) {
  if (const auto* sound = std::get_if<SoundCursor>(&item.what)) return sound->over();
  if (const auto* digits = std::get_if<DigitSequence>(&item.what)) return digits->over();
  return std::get<EchoTime>(item.what).frames == 0;
}

Player::Frame Player::next_of(Item& item, rtp::Codec codec, const std::optional<rtp::EventFormat>& events,
                              std::uint32_t timestamp) {
  Frame frame;
  if (auto* sound = std::get_if<SoundCursor>(&item.what)) {
    frame.payload = sound->next(codec);
  } else if (auto* digits = std::get_if<DigitSequence>(&item.what)) {
    const DigitSequence::Frame part = digits->next(codec, events, timestamp);
    frame.payload = part.payload;
    frame.event = part.event;
  } else {
    --std::get<EchoTime>(item.what).frames;
    frame.echo = true;
  }
  return frame;
}

void Player::drop_front() {
  ended_.push_back({queue_.front().id, true});
  queue_.erase(queue_.begin());
}

}  // namespace rw::media
