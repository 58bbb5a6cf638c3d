#include "audio/whole_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string_view>

namespace rw::audio {
namespace {

constexpr std::uint64_t slack = 64;             ///< bytes by which a size may be wrong: header sizes
constexpr std::uint32_t unknown = 0x7fff'0000;  ///< from here on: of a writer that could not seek back
constexpr int most_chunks = 1000;

std::uint32_t little_endian(const char* at) {
  std::uint32_t value = 0;
  for (int byte = 3; byte >= 0; --byte) value = value << 8 | static_cast<unsigned char>(at[byte]);
  return value;
}

}  // namespace

Result<void> check_wav_is_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto length = static_cast<std::uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(0);
  std::array<char, 12> riff{};
  if (!file.read(riff.data(), riff.size())) return {};
  if (std::string_view(riff.data(), 4) != "RIFF" || std::string_view(riff.data() + 8, 4) != "WAVE") return {};
  std::uint64_t at = riff.size();
  for (int chunk = 0; chunk < most_chunks; ++chunk) {
    std::array<char, 8> head{};
    if (!file.seekg(static_cast<std::streamoff>(at)) || !file.read(head.data(), head.size())) return {};
    const auto size = little_endian(head.data() + 4);
    at += head.size();
    if (std::string_view(head.data(), 4) == "data") {
      const auto there = length - at;
      if (size >= unknown || size <= there + slack) return {};
      return fail("cut off: " + std::to_string(there) + " of " + std::to_string(size) + " bytes of audio are there");
    }
    at += size + (size & 1U);
  }
  return {};
}

}  // namespace rw::audio
