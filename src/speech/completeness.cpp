#include "speech/completeness.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rw::speech {
namespace {

constexpr std::size_t enough_to_tell = 4;
constexpr std::size_t ogg_header = 27, mp3_header = 4, id3_header = 10, flac_header = 26;
/// FLAC files may be a little shorter than they say, by what resampling rounds away.
constexpr double slack = 0.05;

unsigned byte(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

/// ISO/IEC 11172-3 and 13818-3, layer III: bytes of the frame that has this header; 0 if it is none.
std::uint64_t mp3_frame(std::string_view header) {
  static constexpr std::array<unsigned, 16> first_version{0,   32,  40,  48,  56,  64,  80,  96,
                                                          112, 128, 160, 192, 224, 256, 320, 0};
  static constexpr std::array<unsigned, 16> later_versions{0,  8,  16, 24,  32,  40,  48,  56,
                                                           64, 80, 96, 112, 128, 144, 160, 0};
  static constexpr std::array<unsigned, 4> rates{44100, 48000, 32000, 0};
  if (byte(header, 0) != 0xff || (byte(header, 1) & 0xe6) != 0xe2) return 0;
  const unsigned version = byte(header, 1) >> 3 & 3;  // 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
  if (version == 1) return 0;
  const unsigned kilobits = (version == 3 ? first_version : later_versions)[byte(header, 2) >> 4];
  const unsigned rate = rates[byte(header, 2) >> 2 & 3] / (version == 3 ? 1 : version == 2 ? 2 : 4);
  if (kilobits == 0 || rate == 0) return 0;
  const std::uint64_t samples = version == 3 ? 1152 : 576;
  return samples / 8 * kilobits * 1000 / rate + (byte(header, 2) >> 1 & 1);
}

std::uint64_t id3_length(std::string_view header) {
  std::uint64_t size = 0;
  for (std::size_t at = 6; at < id3_header; ++at) size = size << 7 | (byte(header, at) & 0x7f);
  return id3_header + size;
}

}  // namespace

void Completeness::feed(std::span<const char> bytes) {
  if (kind_ == Kind::flac && header_.size() >= flac_header) return;
  while (!bytes.empty() && !lost_) {
    const auto skipped = std::min<std::uint64_t>(skip_, bytes.size());
    skip_ -= skipped;
    bytes = bytes.subspan(skipped);
    if (skip_ > 0 || bytes.empty()) return;
    header_ += bytes.front();
    bytes = bytes.subspan(1);
    if (kind_ == Kind::unknown && header_.size() == enough_to_tell) begin();
    if (kind_ != Kind::unknown) follow();
  }
}

void Completeness::begin() {
  if (header_ == "OggS") {
    kind_ = Kind::ogg;
  } else if (header_ == "fLaC") {
    kind_ = Kind::flac;
  } else if (header_.starts_with("ID3") || mp3_frame(header_) != 0) {
    kind_ = Kind::mp3;
  } else {
    kind_ = Kind::other;
  }
}

void Completeness::follow() {
  if (kind_ == Kind::other || kind_ == Kind::flac) {
    lost_ = kind_ == Kind::other || header_.size() >= flac_header;
    return;
  }
  bool enough = false;
  const auto length = frame_length(enough);
  if (!enough) return;
  if (length < header_.size()) {
    lost_ = true;
    return;
  }
  if (kind_ == Kind::ogg) last_page_ = (byte(header_, 5) & 4) != 0;
  skip_ = length - header_.size();
  header_.clear();
}

std::uint64_t Completeness::frame_length(bool& enough) const {
  const std::string_view header = header_;
  if (kind_ == Kind::mp3) {
    const bool tag = header.starts_with("ID3");
    enough = header.size() >= (tag ? id3_header : mp3_header);
    return !enough ? 0 : tag ? id3_length(header) : mp3_frame(header);
  }
  enough = header.size() >= ogg_header && header.size() >= ogg_header + byte(header, ogg_header - 1);
  if (!enough || !header.starts_with("OggS")) return 0;
  std::uint64_t length = header.size();
  for (std::size_t at = ogg_header; at < header.size(); ++at) length += byte(header, at);
  return length;
}

Result<void> Completeness::finish(double seconds) const {
  constexpr const char* broken = "the audio breaks off";
  if (kind_ == Kind::mp3 && !lost_ && (skip_ > 0 || !header_.empty())) return fail(broken);
  if (kind_ == Kind::ogg && !(last_page_ && skip_ == 0)) return fail(broken);
  if (kind_ == Kind::flac && header_.size() >= flac_header) {
    // STREAMINFO: 20 bits of the rate, 3 + 5 bits, 36 bits of the number of samples.
    const std::string_view info = header_;
    const unsigned rate = byte(info, 18) << 12 | byte(info, 19) << 4 | byte(info, 20) >> 4;
    std::uint64_t samples = byte(info, 21) & 0x0f;
    for (std::size_t at = 22; at < flac_header; ++at) samples = samples << 8 | byte(info, at);
    if (rate > 0 && samples > 0 && seconds + slack < static_cast<double>(samples) / rate) return fail(broken);
  }
  return {};
}

}  // namespace rw::speech
