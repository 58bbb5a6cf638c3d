#include "media/sound.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace rw::media {

Payload::Place Payload::place_of(std::size_t frame) {
  const std::size_t number = frame / first_block + 1;
  const std::size_t before = std::bit_floor(number);  // as many first blocks' worth stand before this block, less one
  return {static_cast<std::size_t>(std::countr_zero(before)), frame - first_block * (before - 1)};
}

std::span<const std::uint8_t> Payload::frame(std::size_t index) const {
  const Place place = place_of(index);
  const Block& block = blocks_[place.block];
  if (const std::size_t size = rtp::facts(codec_).frame_bytes; size != 0)
    return {block.bytes.get() + place.index * size, size};
  const std::size_t begin = place.index == 0 ? 0 : block.ends[place.index - 1];
  return {block.bytes.get() + begin, block.ends[place.index] - begin};
}

void Payload::append(std::span<const std::uint8_t> frame) {
  const std::size_t index = frames_.load(std::memory_order_relaxed);
  const Place place = place_of(index);
  if (place.block >= block_count) throw std::length_error("a sound is too long");
  Block& block = blocks_[place.block];
  if (!block.bytes) begin_block(place.block);
  const std::size_t size = rtp::facts(codec_).frame_bytes;
  std::size_t begin = place.index * size;
  if (size == 0) {
    begin = place.index == 0 ? 0 : block.ends[place.index - 1];
    block.ends[place.index] = static_cast<std::uint32_t>(begin + frame.size());
  }
  std::ranges::copy(frame, block.bytes.get() + begin);
  memory_.fetch_add(frame.size() + (size == 0 ? sizeof(std::uint32_t) : 0), std::memory_order_relaxed);
  frames_.store(index + 1, std::memory_order_release);
}

/// Memory that has not been written to costs nothing, so there is room for the longest frames.
void Payload::begin_block(std::size_t block) {
  const std::size_t room = std::min(first_block << block, most_ - frames_.load(std::memory_order_relaxed));
  const std::size_t size = rtp::facts(codec_).frame_bytes;
  blocks_[block].bytes = std::make_unique_for_overwrite<std::uint8_t[]>(room * (size != 0 ? size : max_frame_bytes));
  if (size == 0) blocks_[block].ends = std::make_unique_for_overwrite<std::uint32_t[]>(room);
}

Sound::Sound(std::vector<std::int16_t> samples, std::uint32_t rate) : rate_(rate), samples_(std::move(samples)) {
  finish();
}

Sound::Sound(std::uint32_t rate) : rate_(rate) {}

Sound::~Sound() = default;

void Sound::append(std::span<const std::int16_t> samples) {
  const std::lock_guard lock(mutex_);
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  for (const auto& form : forms_)
    if (form) extend(*form);
}

void Sound::finish(std::string problem) {
  const std::lock_guard lock(mutex_);
  const std::size_t frame = frame_size();
  if (frame != 0) samples_.resize((samples_.size() + frame - 1) / frame * frame);
  samples_.shrink_to_fit();
  for (const auto& form : forms_)
    if (form) extend(*form);
  problem_ = std::move(problem);
  complete_.store(true, std::memory_order_release);
}

std::string Sound::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

std::chrono::milliseconds Sound::duration() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::milliseconds(rate_ == 0 ? 0 : samples_.size() * 1000 / rate_);
}

void Sound::encode(rtp::Codec codec) const {
  const auto index = static_cast<std::size_t>(codec);
  const std::lock_guard lock(mutex_);
  if (forms_[index]) return;
  std::unique_ptr<Encoder> encoder = make_encoder(codec, rate_);
  if (!encoder) return;
  const std::size_t most =
      complete_.load(std::memory_order_relaxed) ? samples_.size() / frame_size() : Payload::unknown;
  forms_[index] = std::make_unique<Form>(codec, most, std::move(encoder));
  extend(*forms_[index]);
  published_[index].store(forms_[index].get(), std::memory_order_release);
}

/// Encodes the whole frames that the form doesn't have yet.
void Sound::extend(Form& form) const {
  const std::size_t frame = frame_size();
  std::array<std::uint8_t, max_frame_bytes> payload;
  for (std::size_t at = form.payload.frames() * frame; at + frame <= samples_.size(); at += frame) {
    const std::size_t length = form.encoder->encode(std::span(samples_).subspan(at, frame), payload);
    form.payload.append(std::span(payload).first(length));
  }
}

const Payload* Sound::payload(rtp::Codec codec) const {
  const Form* form = published_[static_cast<std::size_t>(codec)].load(std::memory_order_acquire);
  return form == nullptr ? nullptr : &form->payload;
}

std::size_t Sound::memory() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = sizeof *this + samples_.capacity() * sizeof(std::int16_t);
  for (const auto& form : forms_)
    if (form) bytes += form->payload.memory();
  return bytes;
}

}  // namespace rw::media
