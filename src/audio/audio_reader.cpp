#include "audio/audio_reader.h"

#include <algorithm>
#include <cmath>

#include "audio/flac_format.h"
#include "audio/mp3_format.h"
#include "audio/mp3_frame.h"
#include "audio/ogg_format.h"
#include "audio/wav_format.h"

namespace rw::audio {
namespace {

/// What may stand in front of a file without its being another one's.
constexpr std::uint64_t most_passed = 1024 * 1024;
/// Samples of all channels that are decoded of one file: an hour of stereo at 48 kHz, and somewhat more.
constexpr std::uint64_t most_values = 400'000'000;
/// Bytes by which every kind but MP3 can be told.
constexpr std::size_t enough_to_tell = 12;
constexpr const char* unknown_kind = "expected WAV, MP3, Ogg or FLAC";

bool is_wav(std::string_view bytes) {
  return (bytes.starts_with("RIFF") || bytes.starts_with("RF64") || bytes.starts_with("BW64")) &&
         bytes.substr(8, 4) == "WAVE";
}
/// With the header of STREAMINFO, which comes first (RFC 9639 8.2).
bool is_flac(std::string_view bytes) {
  return bytes.starts_with("fLaC") && (bytes[4] & 0x7f) == 0 && bytes.substr(5, 3) == std::string_view("\0\0\x22", 3);
}
/// The first page of a stream (RFC 3533 6).
bool is_ogg(std::string_view bytes) {
  return bytes.starts_with("OggS") && bytes[4] == 0 && (bytes[5] & 0xf8) == 0;
}

}  // namespace

AudioReader::AudioReader(std::chrono::milliseconds most) : most_seconds_(static_cast<double>(most.count()) / 1000) {}
AudioReader::~AudioReader() = default;

Result<std::size_t> AudioReader::read(std::span<float> room) {
  while (taken_ == decoded_.mono.size()) {
    const auto more = decode();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return 0;
  }
  const auto count = std::min(room.size(), decoded_.mono.size() - taken_);
  for (std::size_t at = 0; at < count; ++at) {
    const float value = decoded_.mono[taken_ + at];
    room[at] = std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
  }
  taken_ += count;
  rate_ = decoded_.rate;
  return count;
}

/// Decodes a step more into decoded_. False: more bytes are needed, or it is over.
Result<bool> AudioReader::decode() {
  decoded_.begin(decoded_.rate);
  taken_ = 0;
  if (auto known = recognise(); !known) return tl::unexpected(known.error());
  if (!format_) return false;
  const auto step = format_->step(decoded_);
  if (!step) return tl::unexpected(step.error());
  if (*step == FileFormat::Step::starved) return bytes_.ended() ? finish() : false;
  if (decoded_.mono.empty()) return true;
  seconds_ += static_cast<double>(decoded_.mono.size()) / decoded_.rate;
  values_ += decoded_.values;
  if (seconds_ > most_seconds_)
    return fail("longer than " + std::to_string(static_cast<int>(most_seconds_ / 60)) + " minutes");
  if (values_ > most_values) return fail("longer than can be decoded with so many channels at such a sample rate");
  return true;
}

Result<bool> AudioReader::finish() const {
  if (const auto missing = format_->missing(); !missing.empty()) return fail("cut off: " + missing);
  if (seconds_ == 0) return fail("contains no audio");
  return false;
}

Result<void> AudioReader::recognise() {
  while (!format_) {
    const auto bytes = bytes_.view();
    const auto found = look(bytes);
    if (found == Found::something) continue;
    if (found == Found::undecided && !bytes_.ended()) return {};
    if (bytes.empty() && passed_ == 0) return fail("contains no audio");
    if (bytes.empty() || passed_ > most_passed) return cant_decode(unknown_kind);
    bytes_.drop(1);
    ++passed_;
    expected_ = false;
  }
  return {};
}

/// What the bytes begin with: a tag, which is dropped, a kind of file, or nothing.
AudioReader::Found AudioReader::look(std::string_view bytes) {
  if (bytes.empty()) return Found::undecided;
  constexpr std::string_view beginnings = "RBOfI\xff";
  if (beginnings.find(bytes.front()) == std::string_view::npos) return Found::nothing;
  if (bytes.size() < enough_to_tell) return Found::undecided;
  if (const auto tag = id3_length(bytes); tag > 0) {
    bytes_.drop(tag);
    return Found::something;
  }
  if (is_wav(bytes)) {
    format_ = make_wav_format(bytes_);
    content_type_ = "audio/wav";
  } else if (is_ogg(bytes)) {
    format_ = make_ogg_format(bytes_);
    content_type_ = "audio/ogg";
  } else if (is_flac(bytes)) {
    format_ = make_flac_format(bytes_);
    content_type_ = "audio/flac";
  } else {
    constexpr int usual = 2, in_the_middle = 4;
    const auto run = find_mp3_run(bytes, bytes_.ended(), expected_ ? usual : in_the_middle, expected_ ? 1 : 2);
    if (run == Mp3Run::none) return Found::nothing;
    if (run == Mp3Run::undecided) return Found::undecided;
    format_ = make_mp3_format(bytes_);
    content_type_ = "audio/mpeg";
  }
  return Found::something;
}

}  // namespace rw::audio
