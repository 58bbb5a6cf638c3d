#include "media/codec.h"

extern "C" {
#include <gsm.h>
}

#include <algorithm>
#include <array>
#include <bit>

#include "media/wideband_codec.h"

namespace rw::media {
namespace {

/// G.711 in its own terms: sign, three bits of segment, four bits within the segment.
constexpr std::uint8_t encode_alaw(int sample) {
  const std::uint8_t sign = sample >= 0 ? 0x80 : 0x00;
  const int magnitude = (sample >= 0 ? sample : -sample - 1) >> 4;  // 0 to 2047, in steps of the finest segments
  const int segment = magnitude < 16 ? 0 : std::bit_width(static_cast<unsigned>(magnitude)) - 4;
  const int step = (segment == 0 ? magnitude : magnitude >> (segment - 1)) & 0x0F;
  return static_cast<std::uint8_t>((sign | segment << 4 | step) ^ 0x55);
}

constexpr std::int16_t decode_alaw(std::uint8_t code) {
  const int bits = code ^ 0x55;
  const int segment = (bits >> 4) & 7;
  const int step = bits & 0x0F;
  const int magnitude = segment == 0 ? (step << 4) + 8 : ((step << 4) + 0x108) << (segment - 1);
  return static_cast<std::int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
}

constexpr int ulaw_bias = 0x84;

constexpr std::uint8_t encode_ulaw(int sample) {
  const int sign = sample < 0 ? 0x80 : 0x00;
  const int magnitude = std::min(sample < 0 ? -sample : sample, 32635) + ulaw_bias;
  const int segment = std::bit_width(static_cast<unsigned>(magnitude)) - 8;
  return static_cast<std::uint8_t>(~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0F)));
}

constexpr std::int16_t decode_ulaw(std::uint8_t code) {
  const int bits = ~code & 0xFF;
  const int magnitude = ((((bits & 0x0F) << 3) + ulaw_bias) << ((bits >> 4) & 7)) - ulaw_bias;
  return static_cast<std::int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
}

/// Decoding by table: 256 entries stay in the first cache level.
template <std::int16_t (*Decode)(std::uint8_t)>
constexpr std::array<std::int16_t, 256> decode_table = [] {
  std::array<std::int16_t, 256> table{};
  for (std::size_t code = 0; code < table.size(); ++code) table[code] = Decode(static_cast<std::uint8_t>(code));
  return table;
}();

/// From one law to the other.
template <std::int16_t (*Decode)(std::uint8_t), std::uint8_t (*Encode)(int)>
constexpr std::array<std::uint8_t, 256> law_table = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t code = 0; code < table.size(); ++code) table[code] = Encode(Decode(static_cast<std::uint8_t>(code)));
  return table;
}();

bool has_rate(rtp::Codec codec, std::uint32_t rate) {
  return rate == 8000 || (rate == 16000 && is_wideband(codec));
}

template <std::uint8_t (*Encode)(int)>
class G711Encoder : public Encoder {
 public:
  std::size_t encode(std::span<const std::int16_t> samples, std::span<std::uint8_t> out) override {
    const std::size_t count = std::min(samples.size(), out.size());
    for (std::size_t i = 0; i < count; ++i) out[i] = Encode(samples[i]);
    return count;
  }
};

template <std::int16_t (*Decode)(std::uint8_t)>
class G711Decoder : public Decoder {
 public:
  std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) override {
    const std::size_t count = std::min(payload.size(), out.size());
    for (std::size_t i = 0; i < count; ++i) out[i] = decode_table<Decode>[payload[i]];
    return count;
  }
};

constexpr std::size_t gsm_bytes = 33;
struct GsmDestroy {
  void operator()(gsm state) const { gsm_destroy(state); }
};
using GsmState = std::unique_ptr<gsm_state, GsmDestroy>;

class GsmEncoder : public Encoder {
 public:
  std::size_t encode(std::span<const std::int16_t> samples, std::span<std::uint8_t> out) override {
    std::size_t written = 0;
    std::array<gsm_signal, frame_samples> frame;
    for (; samples.size() >= frame_samples && out.size() - written >= gsm_bytes;
         samples = samples.subspan(frame_samples)) {
      std::copy_n(samples.begin(), frame_samples, frame.begin());
      gsm_encode(state_.get(), frame.data(), out.data() + written);
      written += gsm_bytes;
    }
    return written;
  }

 private:
  GsmState state_{gsm_create()};
};

class GsmDecoder : public Decoder {
 public:
  std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) override {
    std::size_t written = 0;
    std::array<gsm_byte, gsm_bytes> frame;
    for (; payload.size() >= gsm_bytes && out.size() - written >= frame_samples; payload = payload.subspan(gsm_bytes)) {
      std::copy_n(payload.begin(), gsm_bytes, frame.begin());
      if (gsm_decode(state_.get(), frame.data(), out.data() + written) != 0) break;  // not a GSM frame
      written += frame_samples;
    }
    return written;
  }

 private:
  GsmState state_{gsm_create()};
};

std::array<std::uint8_t, gsm_bytes> silent_gsm_frame() {
  std::array<std::uint8_t, gsm_bytes> frame{};
  const std::array<std::int16_t, frame_samples> silence{};
  GsmEncoder().encode(silence, frame);
  return frame;
}

}  // namespace

std::uint8_t to_alaw(std::int16_t sample) {
  return encode_alaw(sample);
}
std::uint8_t to_ulaw(std::int16_t sample) {
  return encode_ulaw(sample);
}
std::int16_t from_alaw(std::uint8_t code) {
  return decode_table<decode_alaw>[code];
}
std::int16_t from_ulaw(std::uint8_t code) {
  return decode_table<decode_ulaw>[code];
}

void alaw_to_ulaw(std::span<const std::uint8_t> payload, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < payload.size(); ++i) out[i] = law_table<decode_alaw, encode_ulaw>[payload[i]];
}
void ulaw_to_alaw(std::span<const std::uint8_t> payload, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < payload.size(); ++i) out[i] = law_table<decode_ulaw, encode_alaw>[payload[i]];
}

std::unique_ptr<Encoder> make_encoder(rtp::Codec codec, std::uint32_t rate) {
  if (!has_rate(codec, rate)) return nullptr;
  switch (codec) {
    case rtp::Codec::pcma:
      return std::make_unique<G711Encoder<encode_alaw>>();
    case rtp::Codec::pcmu:
      return std::make_unique<G711Encoder<encode_ulaw>>();
    case rtp::Codec::gsm:
      return std::make_unique<GsmEncoder>();
    case rtp::Codec::g722:
      return make_g722_encoder(rate);
    case rtp::Codec::opus:
      return make_opus_encoder(rate);
  }
  return nullptr;
}

std::unique_ptr<Decoder> make_decoder(rtp::Codec codec, std::uint32_t rate) {
  if (!has_rate(codec, rate)) return nullptr;
  switch (codec) {
    case rtp::Codec::pcma:
      return std::make_unique<G711Decoder<decode_alaw>>();
    case rtp::Codec::pcmu:
      return std::make_unique<G711Decoder<decode_ulaw>>();
    case rtp::Codec::gsm:
      return std::make_unique<GsmDecoder>();
    case rtp::Codec::g722:
      return make_g722_decoder(rate);
    case rtp::Codec::opus:
      return make_opus_decoder(rate);
  }
  return nullptr;
}

std::span<const std::uint8_t> silence_frame(rtp::Codec codec) {
  static constexpr auto repeated = [](std::uint8_t code) {
    std::array<std::uint8_t, 160> frame{};
    frame.fill(code);
    return frame;
  };
  static constexpr std::array<std::uint8_t, 160> alaw = repeated(0xD5);
  static constexpr std::array<std::uint8_t, 160> ulaw = repeated(0xFF);
  static constexpr std::array<std::uint8_t, 160> g722 = repeated(0xFA);
  static constexpr std::array<std::uint8_t, 3> opus{0xF8, 0xFF, 0xFE};
  static const std::array<std::uint8_t, gsm_bytes> gsm = silent_gsm_frame();
  switch (codec) {
    case rtp::Codec::pcma:
      return alaw;
    case rtp::Codec::pcmu:
      return ulaw;
    case rtp::Codec::gsm:
      return gsm;
    case rtp::Codec::g722:
      return g722;
    case rtp::Codec::opus:
      return opus;
  }
  return alaw;
}

}  // namespace rw::media
