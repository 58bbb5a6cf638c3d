#include "audio/wav_coding.h"

#include <gsm.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "media/codec.h"

namespace rw::audio {
namespace {

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t at = bytes.size(); at-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at]);
  return value;
}
std::int32_t signed_16(std::string_view bytes) {
  return static_cast<std::int16_t>(little_endian(bytes.substr(0, 2)));
}

constexpr float full_scale = 32768.0F;

/// How one sample becomes a number from -1 to 1.
using Convert = float (*)(std::string_view);

float from_unsigned(std::string_view bytes) {
  return (static_cast<float>(static_cast<unsigned char>(bytes[0])) - 128.0F) / 128.0F;
}
/// Two to four octets.
float from_signed(std::string_view bytes) {
  const auto shifted = little_endian(bytes) << (8 * (4 - bytes.size()));
  return static_cast<float>(static_cast<std::int32_t>(shifted)) / 2147483648.0F;
}
float from_float(std::string_view bytes) {
  return std::bit_cast<float>(little_endian(bytes));
}
float from_double(std::string_view bytes) {
  const auto high = std::uint64_t{little_endian(bytes.substr(4, 4))};
  const auto value = std::bit_cast<double>(high << 32 | little_endian(bytes.substr(0, 4)));
  return std::isfinite(value) ? static_cast<float>(std::clamp(value, -1.0, 1.0)) : 0.0F;
}
float from_a_law(std::string_view bytes) {
  return static_cast<float>(media::from_alaw(static_cast<std::uint8_t>(bytes[0]))) / full_scale;
}
float from_mu_law(std::string_view bytes) {
  return static_cast<float>(media::from_ulaw(static_cast<std::uint8_t>(bytes[0]))) / full_scale;
}

Convert converter(const WavFacts& facts) {
  switch (facts.tag) {
    case 1:
      if (facts.bits == 8) return from_unsigned;
      return facts.bits == 16 || facts.bits == 24 || facts.bits == 32 ? from_signed : nullptr;
    case 3:
      return facts.bits == 32 ? from_float : facts.bits == 64 ? from_double : nullptr;
    case 6:
      return facts.bits == 8 ? from_a_law : nullptr;
    case 7:
      return facts.bits == 8 ? from_mu_law : nullptr;
    default:
      return nullptr;
  }
}

/// Each sample by itself.
class PlainCoding final : public WavCoding {
 public:
  PlainCoding(const WavFacts& facts, Convert convert)
      : WavCoding(std::size_t{facts.bits} / 8 * facts.channels),
        width_(facts.bits / 8),
        channels_(facts.channels),
        convert_(convert) {}

  void decode(std::string_view block, Decoded& out) override {
    float sum = 0;
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      const float value = convert_(block.substr(channel * width_, width_));
      sum += std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
    }
    out.mono.push_back(sum / static_cast<float>(channels_));
    out.values += channels_;
  }

 private:
  const std::size_t width_, channels_;
  const Convert convert_;
};

/// GSM 06.10: two frames in 65 octets.
class GsmCoding final : public WavCoding {
 public:
  static constexpr std::size_t bytes = 65, samples = 160;

  GsmCoding() : WavCoding(bytes), decoder_(gsm_create()) {
    int on = 1;
    gsm_option(decoder_.get(), GSM_OPT_WAV49, &on);
  }
  void decode(std::string_view block, Decoded& out) override {
    constexpr std::size_t first = 33;
    half(block.substr(0, first), out);
    half(block.substr(first), out);
  }

 private:
  struct Destroy {
    void operator()(gsm state) const { gsm_destroy(state); }
  };

  void half(std::string_view frame, Decoded& out) {
    std::array<gsm_byte, 33> octets{};
    std::ranges::copy(frame, octets.begin());
    std::array<gsm_signal, samples> decoded{};
    gsm_decode(decoder_.get(), octets.data(), decoded.data());
    for (const auto sample : decoded) out.mono.push_back(static_cast<float>(sample) / full_scale);
    out.values += samples;
  }

  std::unique_ptr<gsm_state, Destroy> decoder_;
};

/// Codings whose channels are decoded into columns first.
class AdpcmCoding : public WavCoding {
 public:
  AdpcmCoding(std::size_t block, std::size_t channels, std::size_t samples)
      : WavCoding(block), channels_(channels), samples_(samples), columns_(channels * samples) {}

 protected:
  void put(std::size_t channel, std::size_t at, std::int32_t sample) {
    if (at < samples_) columns_[at * channels_ + channel] = sample;
  }
  void mix(Decoded& out) const {
    const float scale = 1 / (full_scale * static_cast<float>(channels_));
    for (std::size_t at = 0; at < samples_; ++at) {
      std::int32_t sum = 0;
      for (std::size_t channel = 0; channel < channels_; ++channel) sum += columns_[at * channels_ + channel];
      out.mono.push_back(static_cast<float>(sum) * scale);
    }
    out.values += columns_.size();
  }
  const std::size_t channels_, samples_;

 private:
  std::vector<std::int32_t> columns_;
};

/// IMA ADPCM (DVI), as Microsoft lays it out: for each channel a start, then four octets of each channel in turn.
class ImaCoding final : public AdpcmCoding {
 public:
  static constexpr std::size_t head = 4;
  ImaCoding(std::size_t block, std::size_t channels)
      : AdpcmCoding(block, channels, (block - head * channels) * 2 / channels + 1) {}

  void decode(std::string_view block, Decoded& out) override {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      value_ = signed_16(block.substr(channel * head));
      index_ = std::clamp<int>(static_cast<unsigned char>(block[channel * head + 2]), 0, 88);
      put(channel, 0, value_);
      std::size_t sample = 1;
      for (std::size_t at = head * (channels_ + channel); at + head <= block.size(); at += head * channels_) {
        for (const char c : block.substr(at, head)) {
          put(channel, sample++, next(static_cast<unsigned char>(c) & 0x0fU));
          put(channel, sample++, next(static_cast<unsigned char>(c) >> 4U));
        }
      }
    }
    mix(out);
  }

 private:
  std::int32_t next(unsigned code) {
    static constexpr std::array<std::int16_t, 89> steps{
        7,    8,     9,     10,    11,    12,    13,    14,    16,    17,    19,    21,    23,    25,   28,
        31,   34,    37,    41,    45,    50,    55,    60,    66,    73,    80,    88,    97,    107,  118,
        130,  143,   157,   173,   190,   209,   230,   253,   279,   307,   337,   371,   408,   449,  494,
        544,  598,   658,   724,   796,   876,   963,   1060,  1166,  1282,  1411,  1552,  1707,  1878, 2066,
        2272, 2499,  2749,  3024,  3327,  3660,  4026,  4428,  4871,  5358,  5894,  6484,  7132,  7845, 8630,
        9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767};
    static constexpr std::array<int, 8> moves{-1, -1, -1, -1, 2, 4, 6, 8};
    const std::int32_t step = steps[static_cast<std::size_t>(index_)];
    std::int32_t change = step >> 3;
    if ((code & 4U) != 0) change += step;
    if ((code & 2U) != 0) change += step >> 1;
    if ((code & 1U) != 0) change += step >> 2;
    value_ = std::clamp(value_ + ((code & 8U) != 0 ? -change : change), -32768, 32767);
    index_ = std::clamp(index_ + moves[code & 7U], 0, 88);
    return value_;
  }

  std::int32_t value_ = 0;
  int index_ = 0;
};

/// Microsoft ADPCM, with its usual seven predictors.
class MicrosoftCoding final : public AdpcmCoding {
 public:
  static constexpr std::size_t head = 7;
  MicrosoftCoding(std::size_t block, std::size_t channels)
      : AdpcmCoding(block, channels, (block - head * channels) * 2 / channels + 2), states_(channels) {}

  void decode(std::string_view block, Decoded& out) override {
    static constexpr std::array<std::int32_t, 7> first{256, 512, 0, 192, 240, 460, 392};
    static constexpr std::array<std::int32_t, 7> second{0, -256, 0, 64, 0, -208, -232};
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      const auto word = [&](std::size_t which) { return signed_16(block.substr(channels_ * which + 2 * channel)); };
      auto& state = states_[channel];
      const auto predictor = std::min<std::size_t>(static_cast<unsigned char>(block[channel]), first.size() - 1);
      state = {first[predictor], second[predictor], word(1), word(3), word(5)};
      put(channel, 0, state.before);
      put(channel, 1, state.last);
    }
    std::size_t channel = 0;
    std::size_t frame = 2;
    for (const char c : block.substr(head * channels_)) {
      const unsigned both = static_cast<unsigned char>(c);
      for (const unsigned code : {both >> 4, both & 0x0fU}) {
        put(channel, frame, states_[channel].next(code));
        if (++channel < channels_) continue;
        channel = 0;
        ++frame;
      }
    }
    mix(out);
  }

 private:
  struct State {
    std::int32_t first = 0, second = 0, step = 0, last = 0, before = 0;

    std::int32_t next(unsigned code) {
      static constexpr std::array<std::int32_t, 16> growth{230, 230, 230, 230, 307, 409, 512, 614,
                                                           768, 614, 512, 409, 307, 230, 230, 230};
      const std::int32_t difference =
          code >= 8 ? static_cast<std::int32_t>(code) - 16 : static_cast<std::int32_t>(code);
      const std::int32_t expected = (last * first + before * second) / 256;
      before = last;
      last = std::clamp(expected + difference * step, -32768, 32767);
      step = std::clamp(growth[code] * step / 256, 16, 1 << 20);
      return last;
    }
  };
  std::vector<State> states_;
};

}  // namespace

Result<WavFacts> WavFacts::read(std::string_view chunk) {
  constexpr std::size_t shortest = 16, subformat = 24;
  constexpr std::uint32_t extensible = 0xfffe;
  if (chunk.size() < shortest) return cant_decode("a WAV format of " + std::to_string(chunk.size()) + " bytes");
  WavFacts facts{little_endian(chunk.substr(0, 2)), little_endian(chunk.substr(2, 2)),
                 little_endian(chunk.substr(4, 4)), little_endian(chunk.substr(12, 2)),
                 little_endian(chunk.substr(14, 2))};
  if (facts.tag == extensible && chunk.size() >= subformat + 2) facts.tag = little_endian(chunk.substr(subformat, 2));
  if (auto valid = check_sound(facts.rate, facts.channels); !valid) return tl::unexpected(valid.error());
  return facts;
}

Result<std::unique_ptr<WavCoding>> WavCoding::make(const WavFacts& facts) {
  constexpr std::uint32_t microsoft = 2, ima = 0x11, gsm = 0x31;
  constexpr std::size_t longest_block = 32UL * 1024;
  if (const auto convert = converter(facts); convert != nullptr) return std::make_unique<PlainCoding>(facts, convert);
  const bool blocks = facts.bits == 4 && facts.channels <= 2 && facts.block <= longest_block;
  if (facts.tag == ima && blocks && facts.block > ImaCoding::head * facts.channels)
    return std::make_unique<ImaCoding>(facts.block, facts.channels);
  if (facts.tag == microsoft && blocks && facts.block > MicrosoftCoding::head * facts.channels)
    return std::make_unique<MicrosoftCoding>(facts.block, facts.channels);
  if (facts.tag == gsm && facts.channels == 1) return std::make_unique<GsmCoding>();
  return cant_decode("a WAV file of format " + std::to_string(facts.tag) + " with " + std::to_string(facts.bits) +
                     " bits");
}

}  // namespace rw::audio
