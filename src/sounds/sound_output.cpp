#include "sounds/sound_output.h"

#include <utility>

namespace rw::sounds {
namespace {

constexpr std::uint32_t telephone_rate = 8000;
/// What a network that stutters takes to show it.
constexpr std::chrono::milliseconds enough_to_begin{200};

}  // namespace

SoundOutput::SoundOutput(Show show, std::function<bool()> wanted)
    : show_(std::move(show)), wanted_(std::move(wanted)), sound_(std::make_shared<media::Sound>(telephone_rate)) {}

Result<void> SoundOutput::append(std::span<const float> piece, std::uint32_t rate) {
  if (piece.empty()) return {};
  begun_ = true;
  converted_.clear();
  if (rate != telephone_rate) {
    if (resampler_ && rate != rate_) finish_resampling();
    rate_ = rate;
    if (!resampler_) {
      auto made = audio::Resampler::make(rate, telephone_rate);
      if (!made) return tl::unexpected(made.error());
      resampler_ = std::make_unique<audio::Resampler>(std::move(*made));
    }
    resampler_->feed(piece, converted_);
  } else {
    finish_resampling();
    for (const float value : piece) converted_.push_back(audio::to_sample(value));
  }
  return add(converted_);
}

Result<void> SoundOutput::append(const audio::Samples& piece) {
  if (piece.rate == telephone_rate && !resampler_) {
    begun_ = begun_ || !piece.samples.empty();
    return add(piece.samples);
  }
  std::vector<float> values;
  values.reserve(piece.samples.size());
  for (const std::int16_t sample : piece.samples) values.push_back(static_cast<float>(sample) / 32768.0F);
  return append(values, piece.rate);
}

Result<void> SoundOutput::add(std::span<const std::int16_t> samples) {
  sound_->append(samples);
  if (sound_->duration() > audio::max_duration)
    return fail("longer than " + std::to_string(audio::max_duration.count()) + " minutes");
  if (sound_->duration() >= enough_to_begin) show_(sound_);
  return {};
}

/// What is left of pieces whose rate was another one.
void SoundOutput::finish_resampling() {
  if (resampler_) resampler_->finish(converted_);
  resampler_.reset();
}

media::SoundPtr SoundOutput::finish(std::string problem) {
  converted_.clear();
  finish_resampling();
  sound_->append(converted_);
  sound_->finish(std::move(problem));
  if (begun_) show_(sound_);
  return sound_;
}

}  // namespace rw::sounds
