#include "audio/wav_file.h"

#include <cstring>

namespace rw::audio {
namespace {

void append(std::string& bytes, std::uint32_t value, int count) {
  for (int at = 0; at < count; ++at) bytes += static_cast<char>(value >> (8 * at) & 0xff);
}

}  // namespace

std::string wav_bytes(const Samples& samples) {
  const auto size = static_cast<std::uint32_t>(samples.samples.size() * 2);
  std::string bytes = "RIFF";
  append(bytes, 36 + size, 4);
  bytes += "WAVEfmt ";
  append(bytes, 16, 4);
  append(bytes, 1, 2);  // PCM
  append(bytes, 1, 2);  // one channel
  append(bytes, samples.rate, 4);
  append(bytes, samples.rate * 2, 4);
  append(bytes, 2, 2);
  append(bytes, 16, 2);
  bytes += "data";
  append(bytes, size, 4);
  for (const auto sample : samples.samples) append(bytes, static_cast<std::uint16_t>(sample), 2);
  return bytes;
}

}  // namespace rw::audio
