#include "media/sound.h"

#include <utility>

#include "media/codec.h"

namespace rw::media {

Payload::Payload(rtp::Codec codec, std::vector<std::uint8_t> bytes, std::vector<std::uint32_t> frame_ends)
    : codec_(codec), bytes_(std::move(bytes)), frame_ends_(std::move(frame_ends)) {
  const std::size_t size = rtp::facts(codec_).frame_bytes;
  frames_ = size != 0 ? bytes_.size() / size : frame_ends_.size();
}

std::span<const std::uint8_t> Payload::frame(std::size_t index) const {
  const std::span all(bytes_);
  if (const std::size_t size = rtp::facts(codec_).frame_bytes; size != 0) return all.subspan(index * size, size);
  const std::size_t begin = index == 0 ? 0 : frame_ends_[index - 1];
  return all.subspan(begin, frame_ends_[index] - begin);
}

std::size_t Payload::memory() const {
  return sizeof *this + bytes_.capacity() + frame_ends_.capacity() * sizeof(std::uint32_t);
}

Sound::Sound(std::vector<std::int16_t> samples, std::uint32_t rate) : samples_(std::move(samples)), rate_(rate) {
  const std::size_t frame = rate_ / 1000 * frame_ms;
  if (frame != 0) samples_.resize((samples_.size() + frame - 1) / frame * frame);
}

Sound::~Sound() = default;

std::chrono::milliseconds Sound::duration() const {
  return std::chrono::milliseconds(rate_ == 0 ? 0 : samples_.size() * 1000 / rate_);
}

void Sound::encode(rtp::Codec codec) const {
  const auto index = static_cast<std::size_t>(codec);
  const std::lock_guard lock(encoding_);
  const std::unique_ptr<Encoder> encoder = make_encoder(codec, rate_);
  if (owned_[index] || !encoder) return;
  const std::size_t frame = rate_ / 1000 * frame_ms;
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> ends;
  if (const std::size_t size = rtp::facts(codec).frame_bytes; size != 0) {
    bytes.resize(samples_.size() / frame * size);
    encoder->encode(samples_, bytes);
  } else {
    std::array<std::uint8_t, max_frame_bytes> payload;
    for (std::span<const std::int16_t> left(samples_); left.size() >= frame; left = left.subspan(frame)) {
      const std::size_t length = encoder->encode(left.first(frame), payload);
      bytes.insert(bytes.end(), payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(length));
      ends.push_back(static_cast<std::uint32_t>(bytes.size()));
    }
  }
  owned_[index] = std::make_unique<const Payload>(codec, std::move(bytes), std::move(ends));
  published_[index].store(owned_[index].get(), std::memory_order_release);
}

const Payload* Sound::payload(rtp::Codec codec) const {
  return published_[static_cast<std::size_t>(codec)].load(std::memory_order_acquire);
}

std::size_t Sound::memory() const {
  std::size_t bytes = sizeof *this + samples_.capacity() * sizeof(std::int16_t);
  for (const auto& form : published_)
    if (const Payload* payload = form.load(std::memory_order_acquire)) bytes += payload->memory();
  return bytes;
}

}  // namespace rw::media
