#include "audio/flac_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace rw::audio {

FlacFacts FlacFacts::read(std::string_view streaminfo) {
  const auto octet = [&](std::size_t at) { return std::uint64_t{static_cast<unsigned char>(streaminfo[at])}; };
  FlacFacts facts;
  facts.most_frame_bytes = octet(7) << 16 | octet(8) << 8 | octet(9);
  facts.rate = static_cast<std::uint32_t>(octet(10) << 12 | octet(11) << 4 | octet(12) >> 4);
  facts.channels = (octet(12) >> 1 & 7U) + 1;
  facts.samples = (octet(13) & 0x0f) << 32 | octet(14) << 24 | octet(15) << 16 | octet(16) << 8 | octet(17);
  return facts;
}

Result<std::unique_ptr<FlacDecoder>> FlacDecoder::make(std::string_view streaminfo) {
  const auto facts = FlacFacts::read(streaminfo);
  if (auto valid = check_sound(facts.rate, facts.channels); !valid) return tl::unexpected(valid.error());
  std::unique_ptr<FlacDecoder> made(new FlacDecoder);  // NOLINT: private constructor
  if (!made->begin(streaminfo)) return cant_decode("a FLAC stream with a broken beginning");
  return made;
}

bool FlacDecoder::begin(std::string_view streaminfo) {
  decoder_ = FLAC__stream_decoder_new();
  if (decoder_ == nullptr) return false;
  const auto read = [](const FLAC__StreamDecoder*, FLAC__byte* into, std::size_t* count, void* self) {
    auto& owner = *static_cast<FlacDecoder*>(self);
    *count = std::min(*count, owner.window_.size() - owner.at_);
    if (*count == 0) return FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
    std::memcpy(into, owner.window_.data() + owner.at_, *count);
    owner.at_ += *count;
    return FLAC__STREAM_DECODER_READ_STATUS_CONTINUE;
  };
  const auto tell = [](const FLAC__StreamDecoder*, FLAC__uint64* at, void* self) {
    *at = static_cast<FlacDecoder*>(self)->at_;
    return FLAC__STREAM_DECODER_TELL_STATUS_OK;
  };
  const auto write = [](const FLAC__StreamDecoder*, const FLAC__Frame* frame, const FLAC__int32* const* channels,
                        void* self) {
    static_cast<FlacDecoder*>(self)->write(*frame, channels);
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
  };
  const auto error = [](const FLAC__StreamDecoder*, FLAC__StreamDecoderErrorStatus, void*) {
  };  // it finds the next frame
  if (FLAC__stream_decoder_init_stream(decoder_, read, nullptr, tell, nullptr, nullptr, write, nullptr, error, this) !=
      FLAC__STREAM_DECODER_INIT_STATUS_OK)
    return false;
  // The stream as if it had no other metadata and no known length, at which libFLAC would stop.
  std::string head("fLaC\x80\0\0\x22", 8);
  head += streaminfo.substr(0, FlacFacts::bytes);
  constexpr std::size_t length_at = 8 + 13;
  head[length_at] = static_cast<char>(head[length_at] & 0xf0);
  std::fill_n(head.begin() + length_at + 1, 4, '\0');
  window_ = head;
  at_ = 0;
  const bool read_well = FLAC__stream_decoder_process_until_end_of_metadata(decoder_) != 0;
  window_ = {};
  return read_well && FLAC__stream_decoder_get_state(decoder_) == FLAC__STREAM_DECODER_SEARCH_FOR_FRAME_SYNC;
}

FlacDecoder::~FlacDecoder() {
  if (decoder_ != nullptr) FLAC__stream_decoder_delete(decoder_);
}

Result<std::size_t> FlacDecoder::next(std::string_view bytes, Decoded& out) {
  FLAC__stream_decoder_flush(decoder_);
  window_ = bytes;
  at_ = 0;
  out_ = &out;
  out.mono.clear();
  FLAC__stream_decoder_process_single(decoder_);
  std::size_t used = 0;
  FLAC__uint64 position = 0;
  if (!out.mono.empty() && FLAC__stream_decoder_get_decode_position(decoder_, &position) != 0)
    used = std::min<std::size_t>(position, bytes.size());
  if (!out.mono.empty() && used == 0) used = at_;
  window_ = {};
  out_ = nullptr;
  if (!refused_) return tl::unexpected(refused_.error());
  return used;
}

void FlacDecoder::write(const FLAC__Frame& frame, const FLAC__int32* const* channels) {
  const auto& header = frame.header;
  if (out_ == nullptr || !refused_) return;
  refused_ = check_sound(header.sample_rate, header.channels);
  if (!refused_) return;
  out_->begin(header.sample_rate);
  const float scale =
      std::ldexp(1.0F, 1 - static_cast<int>(header.bits_per_sample)) / static_cast<float>(header.channels);
  out_->mono.resize(header.blocksize);
  out_->values = std::uint64_t{header.blocksize} * header.channels;
  for (std::size_t at = 0; at < header.blocksize; ++at) {
    float sum = 0;
    for (std::size_t channel = 0; channel < header.channels; ++channel)
      sum += static_cast<float>(channels[channel][at]);
    out_->mono[at] = sum * scale;
  }
}

}  // namespace rw::audio
