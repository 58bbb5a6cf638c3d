#include "audio/wav_stream.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "audio/decode.h"
#include "media/codec.h"

namespace rw::audio {
namespace {

constexpr std::size_t riff_header = 12, chunk_header = 8;
constexpr std::uint32_t no_size = 0xffffffff;         ///< in the headers of those who don't know it yet
constexpr std::uint32_t pretended_size = 0x7fff0000;  ///< from here on: others who don't know it (espeak-ng, sox)
constexpr std::size_t longest_chunk = 64U * 1024;
constexpr std::size_t most_bytes = 50U * 1024 * 1024;

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t at = bytes.size(); at-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at]);
  return value;
}

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
  const auto value = std::bit_cast<float>(little_endian(bytes));
  return std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
}
float from_a_law(std::string_view bytes) {
  return static_cast<float>(media::from_alaw(static_cast<std::uint8_t>(bytes[0]))) / 32768.0F;
}
float from_mu_law(std::string_view bytes) {
  return static_cast<float>(media::from_ulaw(static_cast<std::uint8_t>(bytes[0]))) / 32768.0F;
}

struct Format {
  std::uint32_t tag = 0, channels = 0, rate = 0, bits = 0;
  std::size_t sample_bytes() const { return bits / 8; }
};

Convert converter(const Format& format) {
  switch (format.tag) {
    case 1:
      if (format.bits == 8) return from_unsigned;
      return format.bits == 16 || format.bits == 24 || format.bits == 32 ? from_signed : nullptr;
    case 3:
      return format.bits == 32 ? from_float : nullptr;
    case 6:
      return format.bits == 8 ? from_a_law : nullptr;
    case 7:
      return format.bits == 8 ? from_mu_law : nullptr;
    default:
      return nullptr;
  }
}

class WavStream final : public StreamDecoder::Kind {
 public:
  Result<void> feed(std::span<const char> bytes, std::vector<float>& out) override {
    if (pending_.size() + bytes.size() > most_bytes) return fail("the file is larger than 50 MB");
    pending_.append(bytes.data(), bytes.size());
    if (whole_) return {};
    while (state_ != State::data) {
      const auto more = read_header();
      if (!more) return tl::unexpected(more.error());
      if (!*more) return {};
    }
    convert(out);
    return {};
  }

  Result<void> finish(std::vector<float>& out) override {
    if (whole_) return decode_whole(out);
    if (state_ != State::data) return fail("not audio that can be decoded: the WAV file ends before its data");
    if (left_ != no_size && left_ >= format_.channels * format_.sample_bytes())
      return fail("breaks off: " + std::to_string(left_) + " bytes of audio are missing");
    return {};
  }

  std::uint32_t rate() const override { return format_.rate; }

 private:
  enum class State : std::uint8_t { riff, chunk, data };

  /// Reads one part of what stands before the data. False: not all of it is there yet.
  Result<bool> read_header() {
    if (state_ == State::riff) {
      if (pending_.size() < riff_header) return false;
      take(riff_header);
      state_ = State::chunk;
    }
    if (pending_.size() < chunk_header) return false;
    const std::string name = pending_.substr(0, 4);
    const std::uint32_t size = little_endian(std::string_view(pending_).substr(4, 4));
    if (name == "data") {
      if (convert_ == nullptr) return fail("not audio that can be decoded: a WAV file without a format");
      take(chunk_header);
      left_ = size == 0 || size >= pretended_size ? no_size : size;
      state_ = State::data;
      return true;
    }
    if (size > longest_chunk)
      return fail("not audio that can be decoded: a chunk of " + std::to_string(size) + " bytes");
    const std::size_t padded = chunk_header + size + size % 2;
    if (pending_.size() < padded) return false;
    if (name == "fmt ") {
      auto read = read_format(std::string_view(pending_).substr(chunk_header, size));
      if (!read) return tl::unexpected(read.error());
      if (whole_) return false;
    }
    take(padded);
    return true;
  }

  Result<void> read_format(std::string_view chunk) {
    if (chunk.size() < 16)
      return fail("not audio that can be decoded: a WAV format of " + std::to_string(chunk.size()) + " bytes");
    format_ = {little_endian(chunk.substr(0, 2)), little_endian(chunk.substr(2, 2)), little_endian(chunk.substr(4, 4)),
               little_endian(chunk.substr(14, 2))};
    constexpr std::uint32_t extensible = 0xfffe;
    if (format_.tag == extensible && chunk.size() >= 26) format_.tag = little_endian(chunk.substr(24, 2));
    if (format_.rate < min_rate || format_.rate > max_rate)
      return fail("not audio that can be decoded: a sample rate of " + std::to_string(format_.rate) + " Hz");
    if (format_.channels < 1 || format_.channels > max_channels)
      return fail("not audio that can be decoded: " + std::to_string(format_.channels) + " channels");
    convert_ = converter(format_);
    whole_ = convert_ == nullptr;
    return {};
  }

  void take(std::size_t bytes) {
    if (bytes > 0) header_.append(pending_, 0, bytes);
    pending_.erase(0, bytes);
  }

  void convert(std::vector<float>& out) {
    const std::size_t width = format_.sample_bytes(), frame = width * format_.channels;
    const std::size_t there = left_ == no_size ? pending_.size() : std::min<std::size_t>(pending_.size(), left_);
    const std::size_t frames = there / frame;
    for (std::size_t at = 0; at < frames; ++at) {
      float sum = 0;
      for (std::size_t channel = 0; channel < format_.channels; ++channel)
        sum += convert_(std::string_view(pending_).substr(at * frame + channel * width, width));
      out.push_back(sum / static_cast<float>(format_.channels));
    }
    pending_.erase(0, frames * frame);
    if (left_ != no_size) left_ -= static_cast<std::uint32_t>(frames * frame);
    if (left_ != no_size && left_ < frame) pending_.clear();  // what follows the data isn't heard
  }

  Result<void> decode_whole(std::vector<float>& out) {
    header_ += pending_;
    const auto samples = decode_memory({reinterpret_cast<const std::uint8_t*>(header_.data()), header_.size()});
    if (!samples) return tl::unexpected(samples.error());
    format_.rate = samples->rate;
    for (const std::int16_t sample : samples->samples) out.push_back(static_cast<float>(sample) / 32768.0F);
    return {};
  }

  State state_ = State::riff;
  std::string header_;   ///< what was taken of the file before the data
  std::string pending_;  ///< what has come and could not be used yet
  Format format_;
  Convert convert_ = nullptr;
  bool whole_ = false;      ///< a form that is decoded when all of it is there
  std::uint32_t left_ = 0;  ///< bytes of data that are still to come, or no_size
};

}  // namespace

std::unique_ptr<StreamDecoder::Kind> make_wav_stream() {
  return std::make_unique<WavStream>();
}

}  // namespace rw::audio
