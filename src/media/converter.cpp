#include "media/converter.h"

#include <algorithm>
#include <limits>

namespace rw::media {
namespace {

/// Lost frames in a row that are concealed.
constexpr int most_concealed = 3;

std::int16_t sum(std::int16_t a, std::int16_t b) {
  using Limits = std::numeric_limits<std::int16_t>;
  return static_cast<std::int16_t>(std::clamp<int>(a + b, Limits::min(), Limits::max()));
}

}  // namespace

Converter::Converter(rtp::Codec to, std::size_t sources) : to_(to) {
  for (std::size_t i = 0; i < std::min(sources, sources_.size()); ++i) sources_[i] = std::make_unique<Source>();
  start();
}

void Converter::start() {
  bool wide = is_wideband(to_);
  for (const auto& source : sources_) wide = wide && (!source || (source->codec && is_wideband(*source->codec)));
  rate_ = wide ? 16000 : 8000;
  encoder_ = make_encoder(to_, rate_);
  for (const auto& source : sources_) {
    if (!source || !source->codec) continue;
    source->decoder = make_decoder(*source->codec, rate_);
    source->count = source->packet = 0;
    source->last.fill(0);
  }
}

void Converter::put(std::size_t index, rtp::Codec codec, std::uint32_t ssrc, std::uint16_t sequence,
                    std::span<const std::uint8_t> payload) {
  Source& source = *sources_.at(index);
  if (source.ssrc != ssrc) source.buffer.reset();
  source.ssrc = ssrc;
  if (source.codec != codec) {
    source.codec = codec;
    source.buffer.reset();
    start();
  }
  source.buffer.put(sequence, payload);
}

void Converter::skip(std::size_t index, std::uint32_t ssrc, std::uint16_t sequence) {
  Source& source = *sources_.at(index);
  if (source.codec && source.ssrc == ssrc) source.buffer.skip(sequence);
}

std::span<const std::uint8_t> Converter::next() {
  const std::size_t frame = rate_ / 1000 * frame_ms;
  std::array<std::int16_t, most_frame> mixed{};
  bool any = false;
  for (const auto& source : sources_) {
    if (!source || !fill(*source)) continue;
    any = true;
    for (std::size_t i = 0; i < frame; ++i) mixed[i] = sum(mixed[i], source->last[i]);
  }
  if (!any) return {};
  return std::span(out_).first(encoder_->encode(std::span(mixed).first(frame), out_));
}

/// Moves the source's next 20 ms to `last`. False: nothing comes.
bool Converter::fill(Source& source) {
  const std::size_t frame = rate_ / 1000 * frame_ms;
  for (std::size_t round = 0; source.count < frame && round < rtp::JitterBuffer::slots; ++round) {
    const rtp::JitterBuffer::Taken taken = source.buffer.take();
    if (taken.state == rtp::JitterBuffer::State::empty) break;
    if (taken.state == rtp::JitterBuffer::State::lost) {
      for (std::size_t missing = std::max(source.packet, frame); missing >= frame; missing -= frame) conceal(source);
    } else {
      source.losses = 0;
      source.packet = source.decoder->decode(taken.payload, std::span(source.samples).subspan(source.count));
      source.count += source.packet;
    }
  }
  if (source.count == 0) return false;
  const std::size_t got = std::min(source.count, frame);
  std::copy_n(source.samples.begin(), got, source.last.begin());
  std::fill(source.last.begin() + static_cast<std::ptrdiff_t>(got), source.last.end(), std::int16_t{0});
  std::copy(source.samples.begin() + static_cast<std::ptrdiff_t>(got),
            source.samples.begin() + static_cast<std::ptrdiff_t>(source.count), source.samples.begin());
  source.count -= got;
  return true;
}

/// 20 ms in place of a lost packet: as the codec does it, else what was heard last, fading.
void Converter::conceal(Source& source) {
  const std::size_t frame = rate_ / 1000 * frame_ms;
  const auto room = std::span(source.samples).subspan(source.count, frame);
  if (++source.losses > most_concealed || source.decoder->conceal(room) != frame) {
    const int divisor = source.losses > most_concealed ? 0 : 1 << source.losses;
    std::ranges::transform(std::span(source.last).first(frame), room.begin(), [divisor](std::int16_t sample) {
      return static_cast<std::int16_t>(divisor == 0 ? 0 : sample / divisor);
    });
  }
  source.count += frame;
}

}  // namespace rw::media
