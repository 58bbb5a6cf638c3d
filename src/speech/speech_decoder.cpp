#include "speech/speech_decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "media/codec.h"

namespace rw::speech {
namespace {

constexpr std::size_t enough_to_tell = 12;

/// Raw samples may begin with any bytes; those of a compressed file without a name in it (MP3 frames) are told from
/// them by the wish of the caller only.
bool is_named_file(std::string_view first) {
  return (first.starts_with("RIFF") && first.substr(8, 4) == "WAVE") || first.starts_with("ID3") ||
         first.starts_with("OggS") || first.starts_with("fLaC");
}

std::int16_t to_sample(float value) {
  const float bounded = std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
  return static_cast<std::int16_t>(std::lround(bounded * 32767.0F));
}

}  // namespace

Result<void> SpeechDecoder::feed(std::span<const char> bytes) {
  if (!is_file_ && !is_raw_) {
    first_.append(bytes.data(), bytes.size());
    if (first_.size() < enough_to_tell) return {};
    is_file_ = !raw_ || is_named_file(first_);
    is_raw_ = !is_file_;
    const std::string begun = std::exchange(first_, {});
    return feed(begun);
  }
  if (is_raw_) return feed_raw(bytes);
  completeness_.feed(bytes);
  if (auto fed = file_.feed(bytes, decoded_); !fed) return fed;
  return hand_over();
}

Result<void> SpeechDecoder::feed_raw(std::span<const char> bytes) {
  samples_.clear();
  for (const char c : bytes) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (raw_->coding == RawAudio::Coding::a_law) {
      samples_.push_back(media::from_alaw(octet));
    } else if (raw_->coding == RawAudio::Coding::mu_law) {
      samples_.push_back(media::from_ulaw(octet));
    } else if (half_) {
      samples_.push_back(static_cast<std::int16_t>(static_cast<std::uint8_t>(*half_) | octet << 8));
      half_.reset();
    } else {
      half_ = c;
    }
  }
  total_ += samples_.size();
  return pieces_.add(samples_, raw_->rate);
}

Result<void> SpeechDecoder::hand_over() {
  if (decoded_.empty()) return {};
  samples_.clear();
  samples_.reserve(decoded_.size());
  for (const float value : decoded_) samples_.push_back(to_sample(value));
  decoded_.clear();
  total_ += samples_.size();
  return pieces_.add(samples_, file_.rate());
}

Result<void> SpeechDecoder::finish() {
  if (!is_file_ && !is_raw_) {
    if (first_.empty()) return fail("the audio is empty");
    if (!raw_) return fail("not audio that can be decoded");
    is_raw_ = true;
    if (auto fed = feed_raw(std::exchange(first_, {})); !fed) return fed;
  }
  if (is_raw_) return half_ ? Result<void>(fail("the audio breaks off in the middle of a sample")) : Result<void>{};
  if (auto finished = file_.finish(decoded_); !finished) return finished;
  if (auto handed = hand_over(); !handed) return handed;
  const double rate = file_.rate();
  return completeness_.finish(rate > 0 ? static_cast<double>(total_) / rate : 0);
}

}  // namespace rw::speech
