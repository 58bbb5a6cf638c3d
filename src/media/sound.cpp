#include "media/sound.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rw::media {

std::size_t Payload::room_of(std::size_t block) {
  return std::min(first_block << std::min(block, growing_blocks), most_in_block);
}

Payload::Place Payload::place_of(std::size_t frame) {
  std::size_t block = 0;
  for (; block < growing_blocks && frame >= room_of(block); ++block) frame -= room_of(block);
  return {block + frame / room_of(block), frame % room_of(block)};
}

std::span<const std::uint8_t> Payload::frame(std::size_t index) const {
  const Place place = place_of(index);
  const Block& block = block_at(place.block);
  if (const std::size_t size = rtp::facts(codec_).frame_bytes; size != 0)
    return {block.bytes.get() + place.index * size, size};
  const std::size_t begin = place.index == 0 ? 0 : block.ends[place.index - 1];
  return {block.bytes.get() + begin, block.ends[place.index] - begin};
}

void Payload::append(std::span<const std::uint8_t> frame) {
  const std::size_t index = frames_.load(std::memory_order_relaxed);
  const Place place = place_of(index);
  if (place.block >= blocks_in_group * group_count) throw std::length_error("a sound is too long");
  auto& group = groups_[place.block / blocks_in_group];
  if (!group) group = std::make_unique<Group>();
  Block& block = block_at(place.block);
  if (!block.bytes) begin_block(place.block);
  const std::size_t size = rtp::facts(codec_).frame_bytes;
  std::size_t begin = place.index * size;
  if (size == 0) {
    begin = place.index == 0 ? 0 : block.ends[place.index - 1];
    block.ends[place.index] = static_cast<std::uint32_t>(begin + frame.size());
  }
  std::ranges::copy(frame, block.bytes.get() + begin);
  const std::size_t bytes = frame.size() + (size == 0 ? sizeof(std::uint32_t) : 0);
  block.memory += bytes;
  memory_.fetch_add(bytes, std::memory_order_relaxed);
  frames_.store(index + 1, std::memory_order_release);
}

/// Memory that has not been written to costs nothing, so there is room for the longest frames.
void Payload::begin_block(std::size_t block) {
  const std::size_t room = std::min(room_of(block), most_ - frames_.load(std::memory_order_relaxed) +
                                                        place_of(frames_.load(std::memory_order_relaxed)).index);
  const std::size_t size = rtp::facts(codec_).frame_bytes;
  Block& begun = block_at(block);
  begun.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(room * (size != 0 ? size : max_frame_bytes));
  if (size == 0) begun.ends = std::make_unique<std::uint32_t[]>(room);
}

void Payload::trim(std::size_t frame) {
  const std::size_t all = place_of(std::min(frame, frames_.load(std::memory_order_relaxed))).block;
  for (; trimmed_ < all; ++trimmed_) {
    if (!groups_[trimmed_ / blocks_in_group]) continue;
    Block& block = block_at(trimmed_);
    block.bytes.reset();
    block.ends.reset();
    memory_.fetch_sub(std::exchange(block.memory, 0), std::memory_order_relaxed);
  }
}

Sound::Sound(std::span<const std::int16_t> samples, std::uint32_t rate) : rate_(rate) {
  put(samples);
  finish();
}

Sound::Sound(std::uint32_t rate) : rate_(rate) {}

Sound::~Sound() = default;

void Sound::append(std::span<const std::int16_t> samples) {
  const std::lock_guard lock(mutex_);
  add(samples);
}

void Sound::finish(std::string problem) {
  const std::lock_guard lock(mutex_);
  constexpr std::array<std::int16_t, 16000 / 1000 * frame_ms> silence{};
  if (const auto rest = frame_size() == 0 ? 0 : sample_count_ % frame_size(); rest != 0)
    add(std::span(silence).first(frame_size() - rest));
  if (!samples_.empty()) samples_.back().shrink_to_fit();
  problem_ = std::move(problem);
  complete_.store(true, std::memory_order_release);
}

/// Forms that go as far as the sound does go on with it.
void Sound::add(std::span<const std::int16_t> samples) {
  std::array<bool, rtp::codecs.size()> follows{};
  for (std::size_t at = 0; at < forms_.size(); ++at) follows[at] = forms_[at] && reaches_end(*forms_[at]);
  put(samples);
  for (std::size_t at = 0; at < forms_.size(); ++at)
    if (follows[at]) extend(*forms_[at], Payload::unknown);
  frames_.store(first_frame_ + whole_frames(), std::memory_order_relaxed);
}

void Sound::put(std::span<const std::int16_t> samples) {
  const std::size_t second = rate_;
  while (!samples.empty() && second != 0) {
    if (samples_.empty() || samples_.back().size() == second) samples_.emplace_back().reserve(second);
    auto& last = samples_.back();
    const auto piece = samples.first(std::min(samples.size(), second - last.size()));
    last.insert(last.end(), piece.begin(), piece.end());
    sample_count_ += piece.size();
    samples = samples.subspan(piece.size());
  }
}

std::string Sound::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

std::chrono::milliseconds Sound::duration() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::milliseconds(rate_ == 0 ? 0 : first_frame_ * frame_ms + sample_count_ * 1000 / rate_);
}

bool Sound::whole() const {
  const std::lock_guard lock(mutex_);
  return first_frame_ == 0;
}

namespace {

/// What makes a pointer one listener's: it is let go of with the last copy.
struct HeldByListener {
  std::shared_ptr<const Sound> sound;
  std::shared_ptr<Listener> listener;
  void operator()(const Sound* /*sound*/) {
    listener.reset();
    sound.reset();
  }
};

}  // namespace

SoundPtr Sound::for_listener(std::shared_ptr<const Sound> sound) {
  auto listener = std::make_shared<Listener>();
  const Sound* plain = sound.get();
  {
    const std::lock_guard lock(plain->listeners_mutex_);
    plain->listeners_.emplace_back(listener);
  }
  return {plain, HeldByListener{std::move(sound), std::move(listener)}};
}

Listener* Sound::listener_of(const SoundPtr& sound) {
  const auto* held = std::get_deleter<HeldByListener>(sound);
  return held == nullptr ? nullptr : held->listener.get();
}

Sound::Listening Sound::listening() const {
  const std::lock_guard lock(listeners_mutex_);
  std::erase_if(listeners_, [](const std::weak_ptr<Listener>& one) { return one.expired(); });
  Listening all;
  for (const auto& one : listeners_) {
    const auto listener = one.lock();
    if (!listener) continue;
    all.furthest = std::max(all.furthest, listener->at());
    all.needed = all.listeners == 0 ? listener->needed() : std::min(all.needed, listener->needed());
    ++all.listeners;
  }
  return all;
}

void Sound::trim(std::size_t frame) {
  constexpr std::size_t kept = 25;  // a codec that is changed back, and what fades out
  const std::lock_guard lock(mutex_);
  const std::size_t in_second = std::size_t{1000} / frame_ms;
  while (samples_.size() > 1 && first_frame_ + in_second + kept <= frame) {
    for (const auto& form : forms_)
      if (form && form->payload.frames() < first_frame_ + in_second) return;  // it is still made of them
    sample_count_ -= samples_.front().size();
    samples_.pop_front();
    first_frame_ += in_second;
  }
  for (const auto& form : forms_)
    if (form) form->payload.trim(first_frame_);
}

bool Sound::encode(rtp::Codec codec, std::size_t most) const {
  const auto index = static_cast<std::size_t>(codec);
  const std::lock_guard lock(mutex_);
  if (!forms_[index]) {
    std::unique_ptr<Encoder> encoder = make_encoder(codec, rate_);
    if (!encoder) return true;
    const std::size_t all =
        complete_.load(std::memory_order_relaxed) ? first_frame_ + whole_frames() : Payload::unknown;
    forms_[index] = std::make_unique<Form>(codec, all, first_frame_, std::move(encoder));
  }
  const bool reached = extend(*forms_[index], most);
  published_[index].store(forms_[index].get(), std::memory_order_release);
  return reached;
}

bool Sound::has(rtp::Codec codec) const {
  const auto* form = payload(codec);
  return form != nullptr && form->frames() >= frames();
}

/// All whole frames are in it.
bool Sound::reaches_end(const Form& form) const {
  return form.payload.frames() >= first_frame_ + whole_frames();
}

/// Encodes `most` of the whole frames that the form doesn't have yet. True: there are no more.
bool Sound::extend(Form& form, std::size_t most) const {
  const std::size_t frame = frame_size();
  std::array<std::uint8_t, max_frame_bytes> payload;
  std::size_t at = (form.payload.frames() - first_frame_) * frame;
  for (std::size_t made = 0; made < most && at + frame <= sample_count_; ++made, at += frame) {
    const std::size_t length =
        form.encoder->encode(std::span(samples_[at / rate_]).subspan(at % rate_, frame), payload);
    form.payload.append(std::span(payload).first(length));
  }
  return reaches_end(form);
}

const Payload* Sound::payload(rtp::Codec codec) const {
  const Form* form = published_[static_cast<std::size_t>(codec)].load(std::memory_order_acquire);
  return form == nullptr ? nullptr : &form->payload;
}

std::size_t Sound::memory() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = sizeof *this;
  for (const auto& second : samples_) bytes += second.capacity() * sizeof(std::int16_t);
  for (const auto& form : forms_)
    if (form) bytes += form->payload.memory();
  return bytes;
}

}  // namespace rw::media
