#include <ogg/ogg.h>
#include <opus_multistream.h>

#include <array>
#include <cstring>
#include <string_view>

#include "recording/sound_encoders.h"

namespace rw::recording {
namespace {

/// Opus counts in these, whatever the rate of the sound.
constexpr std::uint32_t granules_per_second = 48'000;
constexpr std::uint32_t frame_ms = 20;
/// Of 10. More costs much time and is hardly heard in speech.
constexpr int complexity = 1;
constexpr std::size_t longest_frame = 1275 * 2 + 8;
constexpr int serial = 1;

struct EncoderFree {
  void operator()(OpusMSEncoder* state) const { opus_multistream_encoder_destroy(state); }
};

class OggEncoder final : public SoundEncoder {
 public:
  OggEncoder(std::unique_ptr<OpusMSEncoder, EncoderFree> encoder, std::uint32_t rate, int channels)
      : encoder_(std::move(encoder)),
        rate_(rate),
        channels_(static_cast<std::size_t>(channels)),
        frame_(rate / 1000 * frame_ms) {
    ogg_stream_init(&stream_, serial);
    opus_int32 lookahead = 0;
    opus_multistream_encoder_ctl(encoder_.get(), OPUS_GET_LOOKAHEAD(&lookahead));
    pre_skip_ = static_cast<std::uint32_t>(lookahead) * granules_per_second / rate;
    pending_.reserve(2 * frame_ * channels_);
  }
  ~OggEncoder() override { ogg_stream_clear(&stream_); }
  OggEncoder(const OggEncoder&) = delete;
  OggEncoder& operator=(const OggEncoder&) = delete;

  void begin(Bytes& out) override {
    write_packet(head(), 0, false);
    flush(out);
    write_packet(tags(), 0, false);
    flush(out);
  }

  void add(std::span<const std::int16_t> samples, Bytes& out) override {
    samples_ += samples.size() / channels_;
    pending_.insert(pending_.end(), samples.begin(), samples.end());
    std::size_t done = 0;
    // The last frame is kept: should it be the last of all, it has to say so.
    for (; pending_.size() - done > frame_ * channels_; done += frame_ * channels_) encode(done, false);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
    flush(out);
  }

  void finish(Bytes& out) override {
    // The decoder's delay has to be filled up behind the last sample.
    const auto wanted = samples_ * (granules_per_second / rate_) + pre_skip_;
    const auto frame_granules = std::uint64_t{frame_} * (granules_per_second / rate_);
    while (granules_ < wanted || granules_ == 0) {
      pending_.resize(std::max(pending_.size(), frame_ * channels_));
      encode(0, granules_ + frame_granules >= wanted);
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(frame_ * channels_));
    }
    flush(out);
  }

 private:
  Bytes head() const {
    Bytes head;
    text(head, "OpusHead");
    number(head, 1, 1);
    number(head, static_cast<std::uint32_t>(channels_), 1);
    number(head, pre_skip_, 2);
    number(head, rate_, 4);
    number(head, 0, 2);  // gain
    if (channels_ == 1) {
      number(head, 0, 1);  // one stream, one channel
    } else {
      for (const std::uint32_t octet : {1, 2, 0, 0, 1}) number(head, octet, 1);  // two streams, none coupled, in order
    }
    return head;
  }
  static Bytes tags() {
    constexpr std::string_view vendor = "Ringwright";
    Bytes tags;
    text(tags, "OpusTags");
    number(tags, vendor.size(), 4);
    text(tags, vendor);
    number(tags, 0, 4);
    return tags;
  }
  static void text(Bytes& bytes, std::string_view text) { bytes.insert(bytes.end(), text.begin(), text.end()); }
  static void number(Bytes& bytes, std::uint64_t value, int octets) {
    for (int i = 0; i < octets; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }

  void encode(std::size_t at, bool last) {
    const int size = opus_multistream_encode(encoder_.get(), pending_.data() + at, static_cast<int>(frame_),
                                             frame_bytes_.data(), static_cast<opus_int32>(frame_bytes_.size()));
    granules_ += std::uint64_t{frame_} * (granules_per_second / rate_);
    const auto end = last ? samples_ * (granules_per_second / rate_) + pre_skip_ : granules_;
    if (size > 0)
      write_packet(std::span(frame_bytes_).first(static_cast<std::size_t>(size)), static_cast<ogg_int64_t>(end), last);
  }
  void write_packet(std::span<const std::uint8_t> bytes, ogg_int64_t granules, bool last) {
    ogg_packet packet{};
    // It copies them, though it asks for what may be changed.
    packet.packet = const_cast<std::uint8_t*>(bytes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    packet.bytes = static_cast<long>(bytes.size());
    packet.b_o_s = packets_ == 0 ? 1 : 0;
    packet.e_o_s = last ? 1 : 0;
    packet.granulepos = granules;
    packet.packetno = packets_++;
    ogg_stream_packetin(&stream_, &packet);
  }
  void flush(Bytes& out) {
    ogg_page page{};
    while (ogg_stream_flush(&stream_, &page) != 0) {
      out.insert(out.end(), page.header, page.header + page.header_len);
      out.insert(out.end(), page.body, page.body + page.body_len);
    }
  }

  std::unique_ptr<OpusMSEncoder, EncoderFree> encoder_;
  const std::uint32_t rate_;
  const std::size_t channels_;
  const std::size_t frame_;  ///< samples of one channel
  ogg_stream_state stream_{};
  std::uint32_t pre_skip_ = 0;
  std::uint64_t samples_ = 0;   ///< of one channel, taken in
  std::uint64_t granules_ = 0;  ///< encoded
  ogg_int64_t packets_ = 0;
  std::vector<std::int16_t> pending_;
  std::array<std::uint8_t, longest_frame> frame_bytes_{};
};

}  // namespace

Result<std::unique_ptr<SoundEncoder>> make_ogg_encoder(std::uint32_t rate, int channels) {
  const std::array<std::uint8_t, 2> mapping{0, 1};
  int error = 0;
  std::unique_ptr<OpusMSEncoder, EncoderFree> encoder(opus_multistream_encoder_create(
      static_cast<opus_int32>(rate), channels, channels, 0, mapping.data(), OPUS_APPLICATION_VOIP, &error));
  if (!encoder) return fail(std::string("Opus: ") + opus_strerror(error));
  opus_multistream_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(channels * (rate == 8000 ? 16'000 : 24'000)));
  opus_multistream_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(complexity));
  return std::make_unique<OggEncoder>(std::move(encoder), rate, channels);
}

}  // namespace rw::recording
