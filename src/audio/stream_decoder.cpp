#include "audio/stream_decoder.h"

#include <string_view>
#include <utility>

#include "audio/decode.h"
#include "audio/mp3_stream.h"
#include "audio/wav_stream.h"

namespace rw::audio {
namespace {

/// Bytes by which the kind of a file can be told.
constexpr std::size_t enough_to_tell = 12;
constexpr std::size_t most_bytes = 50U * 1024 * 1024;

/// A kind that is decoded when all of it is there.
class WholeFile final : public StreamDecoder::Kind {
 public:
  Result<void> feed(std::span<const char> bytes, std::vector<float>&) override {
    if (bytes_.size() + bytes.size() > most_bytes) return fail("the file is larger than 50 MB");
    bytes_.append(bytes.data(), bytes.size());
    return {};
  }
  Result<void> finish(std::vector<float>& out) override {
    const auto samples = decode_memory({reinterpret_cast<const std::uint8_t*>(bytes_.data()), bytes_.size()});
    if (!samples) return tl::unexpected(samples.error());
    rate_ = samples->rate;
    out.reserve(out.size() + samples->samples.size());
    for (const std::int16_t sample : samples->samples) out.push_back(static_cast<float>(sample) / 32768.0F);
    return {};
  }
  std::uint32_t rate() const override { return rate_; }

 private:
  std::string bytes_;
  std::uint32_t rate_ = 0;
};

bool is_wav(std::string_view first) {
  return first.starts_with("RIFF") && first.substr(8, 4) == "WAVE";
}

/// An ID3v2 tag, or the sync word of an MPEG audio frame of layer III.
bool is_mp3(std::string_view first) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(first[at]); };
  return first.starts_with("ID3") || (byte(0) == 0xff && (byte(1) & 0xe6) == 0xe2);
}

}  // namespace

StreamDecoder::StreamDecoder() = default;
StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;

Result<void> StreamDecoder::feed(std::span<const char> bytes, std::vector<float>& out) {
  const std::size_t before = out.size();
  Result<void> fed;
  if (kind_) {
    fed = kind_->feed(bytes, out);
  } else {
    first_.append(bytes.data(), bytes.size());
    if (first_.size() >= enough_to_tell) fed = begin(out);
  }
  heard_ = heard_ || out.size() > before;
  return fed;
}

Result<void> StreamDecoder::begin(std::vector<float>& out) {
  if (is_wav(first_)) {
    kind_ = make_wav_stream();
  } else if (is_mp3(first_)) {
    kind_ = make_mp3_stream();
  }
  if (!kind_) kind_ = std::make_unique<WholeFile>();
  return kind_->feed(std::exchange(first_, {}), out);
}

Result<void> StreamDecoder::finish(std::vector<float>& out) {
  const std::size_t before = out.size();
  if (!kind_)
    return fail(first_.empty() ? "is empty" : "not audio that can be decoded: expected WAV, MP3, Ogg or FLAC");
  auto finished = kind_->finish(out);
  if (finished && !heard_ && out.size() == before) return fail("contains no audio");
  return finished;
}

std::uint32_t StreamDecoder::rate() const {
  return kind_ ? kind_->rate() : 0;
}

}  // namespace rw::audio
