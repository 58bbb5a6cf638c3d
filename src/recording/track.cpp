#include "recording/track.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace rw::recording {
namespace {

/// Longest packet (RFC 3551 4.2).
constexpr std::size_t longest_ms = 200;
constexpr std::size_t most_concealed_ms = 60;
/// How far sound may lie ahead of what is finished: the time that is held back, a timestamp that is wrong by nearly one
/// second, one packet.
constexpr std::size_t line_ms = 5000;
/// The noise of a quiet room on a telephone: 46 dB below the loudest.
constexpr int loudest_silence = 160;
/// What StreamClock corrects at once while somebody speaks, with room for the roundings of clocks that differ.
constexpr std::int64_t correction = 4;

}  // namespace

Track::Track(std::uint32_t rate, TimePoint start)
    : rate_(rate), start_(start), clock_(rate), line_(line_ms * rate / 1000) {
  decoded_.resize(longest_ms * rate / 1000);
  last_.reserve(media::frame_ms * rate / 1000);
}

std::int64_t Track::position_of(TimePoint time) const {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(time - start_).count();
  return since * static_cast<std::int64_t>(rate_) / 1'000'000;
}

void Track::put(const media::RecordedPacket& packet) {
  if (packet.rtp_clock == 0) return;
  heard_ = true;
  order_.put(packet);
  settle(packet.at);
}

void Track::settle(TimePoint now) {
  while (const auto next = order_.next(now)) render(*next);
}

void Track::render(const ReorderBuffer::Next& next) {
  const auto& packet = next.packet;
  const StreamClock::Before before{end_, silent_, next.after_loss};
  const auto place = clock_.place({packet.ssrc, packet.rtp_clock, packet.timestamp}, position_of(packet.at), before);
  decoder_ = &decoder_for(packet.codec);
  std::int64_t gap = place.anew ? 0 : place.position - end_;
  if (place.anew) {
    upsampler_.reset();
    last_.clear();
    end_ = place.position;
  } else if (next.after_loss && gap > correction) {
    conceal(static_cast<std::size_t>(gap));
    gap = 0;
  }
  const auto samples = decode(packet);
  const auto written = std::abs(gap) <= correction ? fitted(samples, gap) : samples;
  const auto position = place.position + static_cast<std::int64_t>(samples.size() - written.size());
  line_.write(position, written);
  if (next.after_loss) silent_ = 0;
  const auto end_before = std::exchange(end_, position + static_cast<std::int64_t>(written.size()));
  remember(written, position - end_before);
}

media::Decoder& Track::decoder_for(rtp::Codec codec) {
  auto& decoder = decoders_[static_cast<std::size_t>(codec)];
  const bool wide = rate_ == 16000 && media::is_wideband(codec);
  if (!decoder) decoder = media::make_decoder(codec, wide ? 16000 : 8000);
  if (codec != codec_) upsampler_.reset();
  codec_ = codec;
  decoder_rate_ = wide ? 16000 : 8000;
  return *decoder;
}

std::span<const std::int16_t> Track::decode(const media::RecordedPacket& packet) {
  const auto count = decoder_->decode(packet.payload, decoded_);
  return at_rate(std::span(decoded_).first(count));
}

std::span<const std::int16_t> Track::at_rate(std::span<const std::int16_t> decoded) {
  if (decoder_rate_ == rate_) return decoded;
  raised_.resize(decoded.size() * 2);
  upsampler_.run(decoded, raised_);
  return raised_;
}

/// The sound that is missing behind end_, as far as it can be guessed.
void Track::conceal(std::size_t samples) {
  const std::size_t frame = media::frame_ms * rate_ / 1000;
  const std::size_t most = std::min(samples, most_concealed_ms * rate_ / 1000);
  for (std::size_t done = 0; done < most; done += frame) {
    std::span<const std::int16_t> guess =
        at_rate(std::span(decoded_).first(decoder_->conceal(std::span(decoded_).first(frame * decoder_rate_ / rate_))));
    if (guess.empty()) {
      filler_.resize(frame);
      guess = std::span(filler_).first(fade(filler_, done));
    }
    guess = guess.first(std::min(guess.size(), most - done));
    line_.write(end_ + static_cast<std::int64_t>(done), guess);
  }
}

/// The last 20 ms again, ever softer, so that nothing is left of them after the longest time that is concealed.
std::size_t Track::fade(std::span<std::int16_t> out, std::size_t done) const {
  const auto all = static_cast<std::int32_t>(most_concealed_ms * rate_ / 1000);
  if (last_.empty()) return 0;
  for (std::size_t at = 0; at < out.size(); ++at) {
    const auto left = all - static_cast<std::int32_t>(done + at);
    out[at] = static_cast<std::int16_t>(last_[at % last_.size()] * left / all);
  }
  return out.size();
}

/// The same sound, `gap` samples longer (or shorter, if less than 0): changed where two neighbours differ least.
std::span<const std::int16_t> Track::fitted(std::span<const std::int16_t> samples, std::int64_t gap) {
  if (gap == 0 || samples.size() < 2 * static_cast<std::size_t>(correction) + 2) return samples;
  fitted_.assign(samples.begin(), samples.end());
  for (std::int64_t done = 0; done < std::abs(gap); ++done) {
    auto calmest = fitted_.begin();
    for (auto at = fitted_.begin(); at + 1 != fitted_.end(); ++at) {
      if (std::abs(at[1] - at[0]) < std::abs(calmest[1] - calmest[0])) calmest = at;
    }
    if (gap > 0) {
      fitted_.insert(calmest + 1, static_cast<std::int16_t>((calmest[0] + calmest[1]) / 2));
    } else {
      fitted_.erase(calmest + 1);
    }
  }
  return fitted_;
}

/// `gap`: samples of silence between them and what was before.
void Track::remember(std::span<const std::int16_t> samples, std::int64_t gap) {
  const bool silent = std::ranges::all_of(samples, [](auto sample) { return std::abs(sample) <= loudest_silence; });
  silent_ = silent ? std::max<std::int64_t>(silent_ + gap, 0) + static_cast<std::int64_t>(samples.size()) : 0;
  const std::size_t frame = media::frame_ms * rate_ / 1000;
  const auto kept = samples.last(std::min(samples.size(), frame));
  last_.assign(kept.begin(), kept.end());
}

}  // namespace rw::recording
