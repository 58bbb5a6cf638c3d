#include <opus/opus_multistream.h>

#include <algorithm>
#include <array>
#include <optional>

#include "audio/ogg_codec.h"

namespace rw::audio {
namespace {

constexpr std::uint32_t opus_rate = 48000;
constexpr std::size_t longest_packet = 5760;  ///< samples: 120 ms

class OpusCodec final : public OggCodec {
 public:
  Result<void> packet(ogg_packet& packet, const Page& page, Decoded& out) override {
    const std::string_view bytes(reinterpret_cast<const char*>(packet.packet), static_cast<std::size_t>(packet.bytes));
    if (!decoder_) return begin(bytes);
    if (bytes.starts_with("OpusTags")) return {};
    samples_.resize(longest_packet * channels_);
    const int count =
        opus_multistream_decode_float(decoder_.get(), packet.packet, static_cast<opus_int32>(packet.bytes),
                                      samples_.data(), static_cast<int>(longest_packet), 0);
    if (count <= 0) return {};
    begun_ = true;
    put_out(trimmed(static_cast<std::size_t>(count), page), out);
    return {};
  }
  bool begun() const override { return begun_; }

 private:
  struct Destroy {
    void operator()(OpusMSDecoder* decoder) const { opus_multistream_decoder_destroy(decoder); }
  };

  /// RFC 7845 5.1.
  Result<void> begin(std::string_view head) {
    const auto octet = [&](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(head[at])); };
    constexpr std::size_t shortest = 19, mapping_at = 21;
    if (head.size() < shortest || octet(8) >> 4 != 0) return cant_decode("an Opus stream with a broken beginning");
    channels_ = octet(9);
    if (auto valid = check_sound(opus_rate, channels_); !valid) return valid;
    skip_ = octet(10) | octet(11) << 8;
    unsigned streams = 1, coupled = channels_ > 1 ? 1 : 0;
    std::array<unsigned char, max_channels> mapping{0, 1};
    if (octet(18) != 0) {
      if (head.size() < mapping_at + channels_) return cant_decode("an Opus stream with a broken beginning");
      streams = octet(19);
      coupled = octet(20);
      std::copy_n(head.begin() + mapping_at, channels_, mapping.begin());
    } else if (channels_ > 2) {
      return cant_decode("an Opus stream with a broken beginning");
    }
    int error = OPUS_OK;
    decoder_.reset(opus_multistream_decoder_create(opus_rate, static_cast<int>(channels_), static_cast<int>(streams),
                                                   static_cast<int>(coupled), mapping.data(), &error));
    if (!decoder_) return cant_decode("an Opus stream with a broken beginning");
    opus_multistream_decoder_ctl(decoder_.get(), OPUS_SET_GAIN(static_cast<std::int16_t>(octet(16) | octet(17) << 8)));
    return {};
  }

  /// How much of a packet is to be heard at most: the last page says where the sound ends (RFC 7845 4.4).
  std::size_t trimmed(std::size_t count, const Page& page) {
    if (page.begins) {
      left_.reset();
      if (page.last && page.granule >= 0) left_ = std::max<std::int64_t>(page.granule - granule_, 0);
      if (page.granule >= 0) granule_ = page.granule;
    }
    if (!left_) return count;
    const auto heard = std::min(static_cast<std::int64_t>(count), *left_);
    *left_ -= heard;
    return static_cast<std::size_t>(heard);
  }

  void put_out(std::size_t count, Decoded& out) {
    const std::size_t skipped = std::min(skip_, count);
    skip_ -= skipped;
    out.begin(opus_rate);
    out.values = count * channels_;
    for (std::size_t at = skipped; at < count; ++at) {
      float sum = 0;
      for (std::size_t channel = 0; channel < channels_; ++channel) sum += samples_[at * channels_ + channel];
      out.mono.push_back(sum / static_cast<float>(channels_));
    }
  }

  std::unique_ptr<OpusMSDecoder, Destroy> decoder_;
  unsigned channels_ = 0;
  std::size_t skip_ = 0;  ///< samples that the decoder needs to settle
  bool begun_ = false;
  std::int64_t granule_ = 0;          ///< of the last page that had one
  std::optional<std::int64_t> left_;  ///< samples of the last page that are to be heard
  std::vector<float> samples_;
};

}  // namespace

std::unique_ptr<OggCodec> make_opus_codec() {
  return std::make_unique<OpusCodec>();
}

}  // namespace rw::audio
