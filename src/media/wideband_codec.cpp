#include "media/wideband_codec.h"

#include <opus.h>
// The order matters: spandsp.h wants tiff's and the C library's types first.
#include <spandsp.h>

#include <algorithm>
#include <new>

namespace rw::media {
namespace {

constexpr int g722_bit_rate = 64000;

int g722_options(std::uint32_t rate) {
  return rate == 8000 ? G722_SAMPLE_RATE_8000 : 0;
}

struct G722Free {
  void operator()(g722_encode_state_t* state) const { g722_encode_free(state); }
  void operator()(g722_decode_state_t* state) const { g722_decode_free(state); }
};

class G722Encoder : public Encoder {
 public:
  explicit G722Encoder(std::uint32_t rate)
      : samples_per_octet_(rate / 8000), state_(g722_encode_init(nullptr, g722_bit_rate, g722_options(rate))) {}
  std::size_t encode(std::span<const std::int16_t> samples, std::span<std::uint8_t> out) override {
    const std::size_t octets = std::min(samples.size() / samples_per_octet_, out.size());
    return static_cast<std::size_t>(
        g722_encode(state_.get(), out.data(), samples.data(), static_cast<int>(octets * samples_per_octet_)));
  }

 private:
  std::size_t samples_per_octet_;
  std::unique_ptr<g722_encode_state_t, G722Free> state_;
};

class G722Decoder : public Decoder {
 public:
  explicit G722Decoder(std::uint32_t rate)
      : samples_per_octet_(rate / 8000), state_(g722_decode_init(nullptr, g722_bit_rate, g722_options(rate))) {}
  std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) override {
    const std::size_t octets = std::min(out.size() / samples_per_octet_, payload.size());
    return static_cast<std::size_t>(g722_decode(state_.get(), out.data(), payload.data(), static_cast<int>(octets)));
  }

 private:
  std::size_t samples_per_octet_;
  std::unique_ptr<g722_decode_state_t, G722Free> state_;
};

constexpr int opus_bit_rate = 24000;
/// Half of the range: the upper half costs twice the time and is hardly heard in speech.
constexpr int opus_complexity = 5;
/// Longest packet: 120 ms (RFC 6716 3).
constexpr std::uint32_t opus_longest_ms = 120;

struct OpusFree {
  void operator()(OpusEncoder* state) const { opus_encoder_destroy(state); }
  void operator()(OpusDecoder* state) const { opus_decoder_destroy(state); }
};

class Opus20msEncoder : public Encoder {
 public:
  explicit Opus20msEncoder(std::uint32_t rate) : frame_(rate / 1000 * frame_ms) {
    int error = 0;
    state_.reset(opus_encoder_create(static_cast<opus_int32>(rate), 1, OPUS_APPLICATION_VOIP, &error));
    if (!state_) throw std::bad_alloc();
    opus_encoder_ctl(state_.get(), OPUS_SET_BITRATE(opus_bit_rate));
    opus_encoder_ctl(state_.get(), OPUS_SET_COMPLEXITY(opus_complexity));
  }
  std::size_t encode(std::span<const std::int16_t> samples, std::span<std::uint8_t> out) override {
    if (samples.size() < frame_) return 0;
    const int written = opus_encode(state_.get(), samples.data(), static_cast<int>(frame_), out.data(),
                                    static_cast<opus_int32>(out.size()));
    return written > 0 ? static_cast<std::size_t>(written) : 0;
  }

 private:
  std::size_t frame_;
  std::unique_ptr<OpusEncoder, OpusFree> state_;
};

class OpusPacketDecoder : public Decoder {
 public:
  explicit OpusPacketDecoder(std::uint32_t rate) : longest_(rate / 1000 * opus_longest_ms) {
    int error = 0;
    state_.reset(opus_decoder_create(static_cast<opus_int32>(rate), 1, &error));
    if (!state_) throw std::bad_alloc();
  }
  std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) override {
    if (payload.empty()) return 0;
    return run(payload.data(), payload.size(), out);
  }
  std::size_t conceal(std::span<std::int16_t> out) override { return run(nullptr, 0, out); }

 private:
  std::size_t run(const std::uint8_t* bytes, std::size_t length, std::span<std::int16_t> out) {
    const int samples = opus_decode(state_.get(), bytes, static_cast<opus_int32>(length), out.data(),
                                    static_cast<int>(std::min(out.size(), longest_)), 0);
    return samples > 0 ? static_cast<std::size_t>(samples) : 0;
  }

  std::size_t longest_;
  std::unique_ptr<OpusDecoder, OpusFree> state_;
};

}  // namespace

std::unique_ptr<Encoder> make_g722_encoder(std::uint32_t rate) {
  return std::make_unique<G722Encoder>(rate);
}
std::unique_ptr<Decoder> make_g722_decoder(std::uint32_t rate) {
  return std::make_unique<G722Decoder>(rate);
}
std::unique_ptr<Encoder> make_opus_encoder(std::uint32_t rate) {
  return std::make_unique<Opus20msEncoder>(rate);
}
std::unique_ptr<Decoder> make_opus_decoder(std::uint32_t rate) {
  return std::make_unique<OpusPacketDecoder>(rate);
}

std::size_t opus_payload_ms(std::span<const std::uint8_t> payload) {
  const int samples = opus_packet_get_nb_samples(payload.data(), static_cast<opus_int32>(payload.size()), 48000);
  return samples <= 0 ? 0 : static_cast<std::size_t>(samples) / 48;
}

}  // namespace rw::media
