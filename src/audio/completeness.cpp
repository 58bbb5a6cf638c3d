#include "audio/completeness.h"

#include <algorithm>
#include <string_view>

#include "audio/mp3_frame.h"

namespace rw::audio {
namespace {

constexpr std::size_t enough_to_tell = 4;
constexpr std::size_t ogg_header = 27, id3_header = 10, flac_header = 26;
/// FLAC files may be a little shorter than they say, by what resampling rounds away.
constexpr double slack = 0.05;

unsigned byte(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

/// Bytes of the MP3 frame that has this header; 0 if it is none.
std::uint64_t mp3_length(std::string_view header) {
  const auto frame = Mp3Frame::read({reinterpret_cast<const unsigned char*>(header.data()), header.size()});
  return frame ? frame->size : 0;
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
  } else if (header_.starts_with("ID3") || mp3_length(header_) != 0) {
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
    enough = header.size() >= (tag ? id3_header : Mp3Frame::header_bytes);
    return !enough ? 0 : tag ? id3_length(header) : mp3_length(header);
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

}  // namespace rw::audio
