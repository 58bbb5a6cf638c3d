#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rw::audio {

/// What a frame of MPEG audio says of itself (ISO/IEC 11172-3 2.4.2.3, 13818-3 2.4.2.3).
struct Mp3Frame {
  static constexpr std::size_t header_bytes = 4;

  std::size_t size = 0;  ///< bytes, with the header
  std::uint32_t rate = 0;
  std::uint32_t samples = 0;    ///< of each channel: in layer III 1152 in MPEG-1, 576 in MPEG-2 and 2.5
  std::size_t side_bytes = 0;   ///< of layer III: those behind the header (and its checksum) that describe the frame
  std::uint32_t stream_id = 0;  ///< the bits that all frames of one stream have in common

  /// Nothing if the first header_bytes of `bytes` are none, or leave the bit rate open.
  static std::optional<Mp3Frame> read(std::span<const unsigned char> bytes);
  static std::optional<Mp3Frame> read(std::string_view bytes) {
    return read(std::span(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  }
};

enum class Mp3Run : std::uint8_t { none, there, undecided };
/// Whether `bytes` begin with `wanted` frames of one stream. At the end of the file (`ended`) fewer will do: `least`,
/// all of them whole. Undecided: more bytes are needed.
Mp3Run find_mp3_run(std::string_view bytes, bool ended, int wanted, int least);

/// Bytes of the ID3v2 tag that `bytes` begin with; 0: there is none. Needs id3_header bytes.
std::uint64_t id3_length(std::string_view bytes);
inline constexpr std::size_t id3_header = 10;

}  // namespace rw::audio
