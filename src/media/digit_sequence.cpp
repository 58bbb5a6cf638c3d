#include "media/digit_sequence.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "media/codec.h"
#include "media/tone.h"

namespace rw::media {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_digits = 64;
constexpr milliseconds shortest{40}, longest{5000};
/// The sender repeats a digit's end packet twice, in time that belongs to the gap already.
constexpr std::uint32_t end_repetitions = 2;

SoundPtr tones_of(const SendDigits& send) {
  std::vector<std::int16_t> samples;
  for (const char digit : send.digits) {
    const std::vector<std::int16_t> tone = tone_samples(*dtmf_tone(digit), send.tone);
    samples.insert(samples.end(), tone.begin(), tone.end());
    samples.resize(samples.size() + static_cast<std::size_t>(send.gap.count()) * frame_samples / frame_ms);
  }
  return std::make_shared<const Sound>(std::move(samples), 8000U);
}

}  // namespace

DigitSequence::DigitSequence(SendDigits send) : send_(std::move(send)) {
  std::erase_if(send_.digits, [](char digit) { return !dtmf_tone(digit); });
  send_.digits = upper_case(send_.digits);
  if (send_.digits.size() > max_digits) send_.digits.resize(max_digits);
  send_.tone = std::clamp(send_.tone, shortest, longest);
  send_.gap = std::clamp(send_.gap, shortest, longest);
  over_ = send_.digits.empty();
}

DigitSequence::Frame DigitSequence::next(rtp::Codec codec, const std::optional<rtp::EventFormat>& events,
                                         std::uint32_t timestamp) {
  if (over_) return {};
  if (!cursor_ && !sender_ && digit_ == 0) {
    if (events) {
      event_clock_ = events->clock;
      begin_digit(timestamp);
    } else {
      tones_ = tones_of(send_);
      cursor_.emplace(tones_, milliseconds(0), false, milliseconds(0));
    }
  }
  return cursor_ ? next_tone(codec) : next_event(timestamp);
}

void DigitSequence::begin_digit(std::uint32_t timestamp) {
  sender_.emplace(send_.digits[digit_++], send_.tone, event_clock_);
  begun_at_ = timestamp;
  const auto frames = static_cast<std::uint32_t>((send_.gap.count() + frame_ms - 1) / frame_ms);
  gap_frames_ = frames > end_repetitions ? frames - end_repetitions : 0;
}

DigitSequence::Frame DigitSequence::next_event(std::uint32_t timestamp) {
  std::optional<rtp::TelephoneEventSender::Step> step = sender_ ? sender_->next() : std::nullopt;
  if (!step && gap_frames_ == 0 && digit_ < send_.digits.size()) {
    begin_digit(timestamp);
    step = sender_->next();
  }
  if (step) return {Event{step->payload, step->marker, begun_at_}, {}};
  sender_.reset();
  if (gap_frames_ > 0) --gap_frames_;
  over_ = gap_frames_ == 0 && digit_ == send_.digits.size();
  return {};
}

DigitSequence::Frame DigitSequence::next_tone(rtp::Codec codec) {
  tones_->encode(codec);  // at the first frame, and after a change of codec
  const Frame frame{std::nullopt, cursor_->next(codec)};
  // A codec that can't be encoded would keep the cursor waiting for ever.
  over_ = cursor_->over() || tones_->payload(codec) == nullptr;
  return frame;
}

}  // namespace rw::media
