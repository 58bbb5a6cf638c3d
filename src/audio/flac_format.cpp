#include "audio/flac_format.h"

#include <algorithm>
#include <optional>

#include "audio/flac_decoder.h"

namespace rw::audio {
namespace {

constexpr std::size_t marker = 4, block_header = 4;
constexpr std::size_t usual_frame = 16UL * 1024;
/// The longest frame: 65535 samples of 8 channels with 32 bits, and what stands around them.
constexpr std::size_t longest_frame = 65536UL * 8 * 4 + 65536;
/// Streams may be a little shorter than they say, by what resampling rounds away.
constexpr double slack_seconds = 0.05;

class FlacFormat final : public FileFormat {
 public:
  explicit FlacFormat(ByteQueue& bytes) : bytes_(bytes) {}

  Result<Step> step(Decoded& out) override {
    if (in_metadata_) return read_metadata();
    const auto there = bytes_.view();
    if (there.empty() || (there.size() < needed_ && !bytes_.ended())) return Step::starved;
    const auto used = decoder_->next(there, out);
    if (!used) return tl::unexpected(used.error());
    if (*used == 0) return search();
    bytes_.drop(*used);
    samples_ += out.mono.size();
    needed_ = std::max(usual_, 2 * *used);
    return Step::moved;
  }

  std::string missing() const override {
    if (in_metadata_) return "its beginning ends early";
    const double least = static_cast<double>(facts_.samples) - slack_seconds * facts_.rate;
    if (facts_.samples > 0 && static_cast<double>(samples_) < least)
      return std::to_string(samples_) + " of " + std::to_string(facts_.samples) + " samples are there";
    // Of one that does not say its length: whether a frame has begun behind the last whole one.
    const auto rest = bytes_.view();
    const bool frame = rest.size() >= 2 && rest[0] == '\xff' && (static_cast<unsigned char>(rest[1]) & 0xfe) == 0xf8;
    return facts_.samples == 0 && frame ? "its last frame is not whole" : "";
  }

 private:
  Result<Step> read_metadata() {
    auto there = bytes_.view();
    if (!decoder_) {
      constexpr std::size_t first = marker + block_header + FlacFacts::bytes;
      if (there.size() < first) return Step::starved;
      const auto streaminfo = there.substr(marker + block_header, FlacFacts::bytes);
      auto made = FlacDecoder::make(streaminfo);
      if (!made) return tl::unexpected(made.error());
      decoder_ = std::move(*made);
      facts_ = FlacFacts::read(streaminfo);
      usual_ = facts_.most_frame_bytes > 0 ? std::min(facts_.most_frame_bytes + 64, longest_frame) : usual_frame;
      needed_ = usual_;
      in_metadata_ = (there[marker] & 0x80) == 0;
      bytes_.drop(first);
      return Step::moved;
    }
    if (there.size() < block_header) return Step::starved;
    const auto octet = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(there[at])}; };
    in_metadata_ = (octet(0) & 0x80) == 0;
    bytes_.drop(block_header + (octet(1) << 16 | octet(2) << 8 | octet(3)));
    return Step::moved;
  }

  /// There is no whole frame in what has come: more is needed, unless it is no frame at all.
  Result<Step> search() {
    const auto there = bytes_.view().size();
    if (bytes_.ended()) return Step::starved;
    if (there > 2 * longest_frame) bytes_.drop(there - longest_frame);
    needed_ = std::min(2 * there, 2 * longest_frame + 1);
    return Step::starved;
  }

  ByteQueue& bytes_;
  bool in_metadata_ = true;
  std::unique_ptr<FlacDecoder> decoder_;
  FlacFacts facts_;
  std::size_t usual_ = usual_frame;
  std::size_t needed_ = 0;  ///< bytes that have to be there before it is worth looking for a frame
  std::uint64_t samples_ = 0;
};

}  // namespace

std::unique_ptr<FileFormat> make_flac_format(ByteQueue& bytes) {
  return std::make_unique<FlacFormat>(bytes);
}

}  // namespace rw::audio
