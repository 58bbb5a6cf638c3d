#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace rw::audio {

/// What a frame of MPEG audio, layer III, says of itself (ISO/IEC 11172-3 2.4.2.3, 13818-3 2.4.2.3).
struct Mp3Frame {
  static constexpr std::size_t header_bytes = 4;

  std::size_t size = 0;  ///< bytes, with the header
  std::uint32_t rate = 0;
  std::uint32_t samples = 0;  ///< 1152 in MPEG-1, 576 in MPEG-2 and 2.5

  /// Nothing if the first header_bytes of `bytes` are none, or leave the bit rate open.
  static std::optional<Mp3Frame> read(std::span<const unsigned char> bytes);
};

}  // namespace rw::audio
