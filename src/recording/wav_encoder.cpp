#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "recording/sound_encoders.h"
#include "recording/wav_layout.h"

namespace rw::recording {
namespace {

void put(std::uint8_t* at, std::uint32_t value, int octets) {
  for (int i = 0; i < octets; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

class WavEncoder final : public SoundEncoder {
 public:
  WavEncoder(std::uint32_t rate, int channels) : rate_(rate), channels_(channels) {}

  void begin(Bytes& out) override {
    const auto header = wav_header(rate_, channels_, wav_size_unknown);
    out.insert(out.end(), header.begin(), header.end());
  }
  void add(std::span<const std::int16_t> samples, Bytes& out) override {
    static_assert(std::endian::native == std::endian::little);
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(samples.data());
    out.insert(out.end(), bytes, bytes + samples.size_bytes());
    size_ += samples.size_bytes();
  }
  void finish(Bytes&) override {}
  Bytes final_header() const override {
    const auto size = std::min<std::uint64_t>(size_, wav_size_unknown - wav_header_bytes);
    const auto header = wav_header(rate_, channels_, static_cast<std::uint32_t>(size));
    return {header.begin(), header.end()};
  }

 private:
  const std::uint32_t rate_;
  const int channels_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::array<std::uint8_t, wav_header_bytes> wav_header(std::uint32_t rate, int channels, std::uint32_t data_size) {
  std::array<std::uint8_t, wav_header_bytes> header{};
  const auto tag = [&](std::size_t at, std::string_view name) {
    std::memcpy(header.data() + at, name.data(), name.size());
  };
  const auto sample = static_cast<std::uint32_t>(2 * channels);
  tag(0, "RIFF");
  put(header.data() + wav_riff_size_at, data_size == wav_size_unknown ? data_size : data_size + 36, 4);
  tag(8, "WAVEfmt ");
  put(header.data() + 16, 16, 4);
  put(header.data() + 20, 1, 2);  // PCM
  put(header.data() + wav_channels_at, static_cast<std::uint32_t>(channels), 2);
  put(header.data() + wav_rate_at, rate, 4);
  put(header.data() + 28, rate * sample, 4);
  put(header.data() + 32, sample, 2);
  put(header.data() + 34, 16, 2);
  tag(36, "data");
  put(header.data() + wav_data_size_at, data_size, 4);
  return header;
}

std::unique_ptr<SoundEncoder> make_wav_encoder(std::uint32_t rate, int channels) {
  return std::make_unique<WavEncoder>(rate, channels);
}

}  // namespace rw::recording
