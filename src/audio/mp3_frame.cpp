#include "audio/mp3_frame.h"

#include <array>

namespace rw::audio {
namespace {

using Kilobits = std::array<std::uint16_t, 16>;
constexpr Kilobits first_layer1{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0};
constexpr Kilobits first_layer2{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0};
constexpr Kilobits first_layer3{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0};
constexpr Kilobits later_layer1{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0};
constexpr Kilobits later_layers{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0};

const Kilobits& kilobits_of(bool first_version, unsigned layer) {
  if (!first_version) return layer == 1 ? later_layer1 : later_layers;
  return layer == 1 ? first_layer1 : layer == 2 ? first_layer2 : first_layer3;
}

}  // namespace

std::optional<Mp3Frame> Mp3Frame::read(std::span<const unsigned char> bytes) {
  static constexpr std::array<std::uint32_t, 4> rates{44100, 48000, 32000, 0};
  if (bytes.size() < header_bytes || bytes[0] != 0xff || (bytes[1] & 0xe0) != 0xe0) return std::nullopt;
  const unsigned version = bytes[1] >> 3 & 3U;  // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const unsigned layer = 4 - (bytes[1] >> 1 & 3U);
  if (version == 1 || layer == 4) return std::nullopt;
  const bool first = version == 3;
  const std::uint32_t bits = kilobits_of(first, layer)[bytes[2] >> 4] * 1000U;
  const std::uint32_t rate = rates[bytes[2] >> 2 & 3U] / (first ? 1 : version == 2 ? 2 : 4);
  if (bits == 0 || rate == 0) return std::nullopt;
  const unsigned padding = bytes[2] >> 1 & 1U;
  const bool mono = bytes[3] >> 6 == 3;
  Mp3Frame frame;
  frame.rate = rate;
  frame.samples = layer == 1 ? 384 : layer == 3 && !first ? 576 : 1152;
  frame.size = layer == 1 ? (12 * bits / rate + padding) * 4 : frame.samples / 8 * bits / rate + padding;
  frame.side_bytes = first ? (mono ? 17 : 32) : (mono ? 9 : 17);
  frame.stream_id = bytes[1] >> 1 << 8 | (bytes[2] & 0x0cU);  // version, layer, rate
  return frame;
}

Mp3Run find_mp3_run(std::string_view bytes, bool ended, int wanted, int least) {
  std::size_t at = 0;
  std::uint32_t stream = 0;
  for (int found = 0; found < wanted; ++found) {
    const bool over = at + Mp3Frame::header_bytes > bytes.size();
    if (over && !ended) return Mp3Run::undecided;
    // At the end only what is whole counts: the frame before this one.
    if (over) return found - (at > bytes.size() ? 1 : 0) >= least ? Mp3Run::there : Mp3Run::none;
    const auto frame = Mp3Frame::read(bytes.substr(at));
    if (!frame || (found > 0 && frame->stream_id != stream)) return Mp3Run::none;
    stream = frame->stream_id;
    at += frame->size;
  }
  return Mp3Run::there;
}

std::uint64_t id3_length(std::string_view bytes) {
  if (bytes.size() < id3_header || !bytes.starts_with("ID3")) return 0;
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  constexpr unsigned has_footer = 0x10;
  if (octet(3) < 2 || octet(3) > 4 || (octet(5) & 0x0f) != 0) return 0;
  std::uint64_t size = 0;
  for (std::size_t at = 6; at < id3_header; ++at) {
    if (octet(at) > 0x7f) return 0;
    size = size << 7 | octet(at);
  }
  return id3_header + size + ((octet(5) & has_footer) != 0 ? id3_header : 0);
}

}  // namespace rw::audio
