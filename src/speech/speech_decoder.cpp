#include "speech/speech_decoder.h"

#include <array>
#include <utility>

#include "audio/decode.h"
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
  file_.feed(bytes);
  return read_file();
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
  return pieces_.add(samples_, raw_->rate);
}

Result<void> SpeechDecoder::read_file() {
  std::array<float, 4096> room;
  for (;;) {
    const auto got = file_.read(room);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return {};
    samples_.clear();
    for (const float value : std::span(room).first(*got)) samples_.push_back(audio::to_sample(value));
    if (auto added = pieces_.add(samples_, file_.rate()); !added) return added;
  }
}

Result<void> SpeechDecoder::finish() {
  if (!is_file_ && !is_raw_) {
    if (first_.empty()) return fail("the audio is empty");
    if (!raw_) return fail("not audio that can be decoded");
    is_raw_ = true;
    if (auto fed = feed_raw(std::exchange(first_, {})); !fed) return fed;
  }
  if (is_raw_) return half_ ? Result<void>(fail("the audio breaks off in the middle of a sample")) : Result<void>{};
  file_.end();
  if (auto read = read_file(); !read) return read;
  return file_.ends_within_a_frame() ? Result<void>(fail("the audio breaks off")) : Result<void>{};
}

}  // namespace rw::speech
