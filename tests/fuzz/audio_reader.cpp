// A file from anybody: reading it ends, in bounded time and memory, and what is heard does not depend on how its bytes
// come.
#include "audio/audio_reader.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr std::chrono::seconds most{60};

struct Heard {
  std::vector<float> samples;
  std::vector<std::uint32_t> rates;
  std::string problem;
  bool operator==(const Heard&) const = default;
};

Heard hear(std::span<const char> bytes, std::size_t piece) {
  rw::audio::AudioReader reader(most);
  Heard heard;
  const auto read = [&] {
    std::array<float, 1000> room;
    for (;;) {
      const auto got = reader.read(room);
      if (!got) heard.problem = got.error().message;
      if (!got || *got == 0) return got.has_value();
      if (reader.rate() < rw::audio::min_rate || reader.rate() > rw::audio::max_rate) std::abort();
      heard.samples.insert(heard.samples.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*got));
      if (heard.rates.empty() || heard.rates.back() != reader.rate()) heard.rates.push_back(reader.rate());
    }
  };
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    reader.feed(part);
    if (!read()) return heard;
    bytes = bytes.subspan(part.size());
  }
  reader.end();
  if (read() && heard.samples.empty()) std::abort();
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = hear(bytes, std::max<std::size_t>(size, 1));
  if (whole.samples.size() > std::size_t{rw::audio::max_rate} * most.count()) std::abort();
  const auto in_pieces = hear(bytes, 1 + size % 97);
  if (whole != in_pieces) std::abort();
  return 0;
}
