#include "audio/wav_format.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "audio/mp3_format.h"
#include "audio/wav_coding.h"

namespace rw::audio {
namespace {

constexpr std::size_t riff_header = 12, chunk_header = 8;
constexpr std::size_t longest_format = 4096;
/// A longer file is never read, so this is what a writer has left that did not know the length, or could not go back to
/// write it: 0xffffffff, 0x7ffff000 and many others are in use.
constexpr std::uint32_t longest_data = 50U * 1024 * 1024;
constexpr std::uint32_t unknown = 0xffffffff;
constexpr std::size_t ds64_data = 8;  ///< in a ds64 chunk: where the length of the samples is
/// Bytes by which a size may be wrong: of those who count headers in.
constexpr std::uint64_t slack = 64;
/// Of the samples, in one step.
constexpr std::size_t step_bytes = 8192;

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t at = bytes.size(); at-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at]);
  return value;
}

class WavFormat final : public FileFormat {
 public:
  explicit WavFormat(ByteQueue& bytes) : bytes_(bytes) {}

  Result<Step> step(Decoded& out) override {
    switch (state_) {
      case State::riff:
        bytes_.drop(riff_header);
        state_ = State::chunk;
        return Step::moved;
      case State::chunk:
        return read_chunk();
      case State::data:
        return read_data(out);
      case State::after:
        break;
    }
    bytes_.drop(bytes_.view().size());
    return Step::starved;
  }

  std::string missing() const override {
    if (state_ == State::riff || state_ == State::chunk) return empty_ ? "" : "it ends before its audio";
    if (mpeg_ && !mpeg_->missing().empty()) return mpeg_->missing();
    if (state_ == State::after) return {};
    if (!counts_ || left_ <= slack) return {};
    return std::to_string(left_) + " bytes of samples are not there";
  }

 private:
  enum class State : std::uint8_t { riff, chunk, data, after };

  Result<Step> read_chunk() {
    const auto there = bytes_.view();
    if (there.size() < chunk_header) return Step::starved;
    const auto name = there.substr(0, 4);
    const std::uint32_t size = little_endian(there.substr(4, 4));
    if (name == "fmt ") return read_format(size);
    if (name == "data") return begin_data(size == unknown ? long_size_.value_or(size) : size);
    if (name == "ds64") {
      if (there.size() < chunk_header + ds64_data + 8) return Step::starved;
      const auto high = std::uint64_t{little_endian(there.substr(chunk_header + ds64_data + 4, 4))};
      long_size_ = high << 32 | little_endian(there.substr(chunk_header + ds64_data, 4));
    }
    bytes_.drop(chunk_header + std::uint64_t{size} + size % 2);
    return Step::moved;
  }

  Result<Step> read_format(std::uint32_t size) {
    if (size > longest_format) return cant_decode("a WAV format of " + std::to_string(size) + " bytes");
    if (bytes_.view().size() < chunk_header + size) return Step::starved;
    const auto facts = WavFacts::read(bytes_.view().substr(chunk_header, size));
    if (!facts) return tl::unexpected(facts.error());
    constexpr std::uint32_t mpeg_layers12 = 0x50, mpeg_layer3 = 0x55;
    rate_ = facts->rate;
    if (facts->tag == mpeg_layers12 || facts->tag == mpeg_layer3) {
      mpeg_ = make_mp3_format(inner_);
    } else {
      auto made = WavCoding::make(*facts);
      if (!made) return tl::unexpected(made.error());
      coding_ = std::move(*made);
    }
    bytes_.drop(chunk_header + std::uint64_t{size} + size % 2);
    return Step::moved;
  }

  Result<Step> begin_data(std::uint64_t size) {
    if (!coding_ && !mpeg_) return cant_decode("a WAV file without a format");
    if (size == 0) {
      // Either there are none, or the length was not known. Then samples follow, not another chunk.
      if (bytes_.view().size() < 2 * chunk_header && !bytes_.ended()) return Step::starved;
      const auto next = bytes_.view().substr(chunk_header).substr(0, 4);
      constexpr std::array<std::string_view, 8> usual{"LIST", "id3 ", "ID3 ", "fact", "cue ", "bext", "smpl", "data"};
      if (std::ranges::find(usual, next) != usual.end()) {
        bytes_.drop(chunk_header);
        empty_ = true;
        return Step::moved;
      }
    }
    bytes_.drop(chunk_header);
    counts_ = size > 0 && size <= longest_data;
    left_ = size;
    state_ = State::data;
    return Step::moved;
  }

  Result<Step> read_data(Decoded& out) {
    auto there = bytes_.view();
    if (counts_) there = there.substr(0, left_);
    if (mpeg_) return read_mpeg(there, out);
    const std::size_t block = coding_->block();
    if (counts_ && left_ < block) {
      state_ = State::after;
      return Step::moved;
    }
    const std::size_t blocks = std::min(there.size() / block, std::max<std::size_t>(step_bytes / block, 1));
    if (blocks == 0) return Step::starved;
    out.begin(rate_);
    for (std::size_t at = 0; at < blocks; ++at) coding_->decode(there.substr(at * block, block), out);
    use(blocks * block);
    return Step::moved;
  }

  Result<Step> read_mpeg(std::string_view there, Decoded& out) {
    auto step = mpeg_->step(out);
    if (!step || *step == Step::moved) return step;
    if (there.empty()) {
      if (!bytes_.ended() && !(counts_ && left_ == 0)) return Step::starved;
      if (inner_.ended()) state_ = State::after;
      inner_.end();
      return Step::moved;
    }
    const auto part = there.substr(0, step_bytes);
    inner_.append(part);
    use(part.size());
    return Step::moved;
  }

  void use(std::size_t bytes) {
    bytes_.drop(bytes);
    left_ -= counts_ ? bytes : 0;
  }

  ByteQueue& bytes_;
  State state_ = State::riff;
  std::uint32_t rate_ = 0;
  std::unique_ptr<WavCoding> coding_;
  ByteQueue inner_;  ///< of mpeg_
  std::unique_ptr<FileFormat> mpeg_;
  std::optional<std::uint64_t> long_size_;  ///< of the samples, as an RF64 file says (EBU Tech 3306)
  bool empty_ = false;                      ///< there was a data chunk, with nothing in it
  bool counts_ = false;                     ///< left_ is known
  std::uint64_t left_ = 0;                  ///< bytes of samples that are still to come
};

}  // namespace

std::unique_ptr<FileFormat> make_wav_format(ByteQueue& bytes) {
  return std::make_unique<WavFormat>(bytes);
}

}  // namespace rw::audio
