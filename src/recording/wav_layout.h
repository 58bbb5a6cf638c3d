#pragma once

#include <array>
#include <cstdint>

namespace rw::recording {

/// The header of the WAV files that we write: RIFF, "fmt " (16-bit PCM), "data"; all numbers little-endian.
inline constexpr std::size_t wav_header_bytes = 44;
inline constexpr std::size_t wav_riff_size_at = 4, wav_channels_at = 22, wav_rate_at = 24, wav_data_size_at = 40;
/// In place of a size that isn't known yet.
inline constexpr std::uint32_t wav_size_unknown = 0xFFFFFFFF;

/// `data_size`: octets of sound, or wav_size_unknown.
std::array<std::uint8_t, wav_header_bytes> wav_header(std::uint32_t rate, int channels, std::uint32_t data_size);

}  // namespace rw::recording
