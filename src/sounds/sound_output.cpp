#include "sounds/sound_output.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rw::sounds {
namespace {

constexpr std::uint32_t telephone_rate = 8000;
/// What a network that stutters takes to show it.
constexpr std::chrono::milliseconds enough_to_begin{200};

}  // namespace

SoundOutput::SoundOutput(std::function<void(const media::SoundPtr&)> show)
    : show_(std::move(show)), sound_(std::make_shared<media::Sound>(telephone_rate)) {}

Result<void> SoundOutput::append(std::span<const float> piece, std::uint32_t rate) {
  if (piece.empty()) return {};
  begun_ = true;
  converted_.clear();
  if (rate != telephone_rate) {
    if (!resampler_) {
      auto made = audio::Resampler::make(rate, telephone_rate);
      if (!made) return tl::unexpected(made.error());
      resampler_ = std::make_unique<audio::Resampler>(std::move(*made));
    }
    resampler_->feed(piece, converted_);
  } else {
    for (const float value : piece)
      converted_.push_back(static_cast<std::int16_t>(std::lround(std::clamp(value, -1.0F, 1.0F) * 32767.0F)));
  }
  return add(converted_);
}

Result<void> SoundOutput::append(const audio::Samples& piece) {
  if (piece.rate == telephone_rate) {
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

media::SoundPtr SoundOutput::finish(std::string problem) {
  if (resampler_) {
    converted_.clear();
    resampler_->finish(converted_);
    sound_->append(converted_);
    resampler_.reset();
  }
  sound_->finish(std::move(problem));
  if (begun_) show_(sound_);
  return sound_;
}

}  // namespace rw::sounds
