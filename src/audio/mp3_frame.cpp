#include "audio/mp3_frame.h"

#include <array>

namespace rw::audio {

std::optional<Mp3Frame> Mp3Frame::read(std::span<const unsigned char> bytes) {
  static constexpr std::array<std::uint32_t, 16> first_version{0,   32,  40,  48,  56,  64,  80,  96,
                                                               112, 128, 160, 192, 224, 256, 320, 0};
  static constexpr std::array<std::uint32_t, 16> later_versions{0,  8,  16, 24,  32,  40,  48,  56,
                                                                64, 80, 96, 112, 128, 144, 160, 0};
  static constexpr std::array<std::uint32_t, 4> rates{44100, 48000, 32000, 0};
  if (bytes.size() < header_bytes || bytes[0] != 0xff || (bytes[1] & 0xe6) != 0xe2) return std::nullopt;
  const unsigned version = bytes[1] >> 3 & 3U;  // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  if (version == 1) return std::nullopt;
  const std::uint32_t kilobits = (version == 3 ? first_version : later_versions)[bytes[2] >> 4];
  const std::uint32_t rate = rates[bytes[2] >> 2 & 3U] / (version == 3 ? 1 : version == 2 ? 2 : 4);
  if (kilobits == 0 || rate == 0) return std::nullopt;
  const std::uint32_t samples = version == 3 ? 1152 : 576;
  return Mp3Frame{samples / 8 * kilobits * 1000 / rate + (bytes[2] >> 1 & 1U), rate, samples};
}

}  // namespace rw::audio
