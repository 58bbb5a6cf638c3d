#include "audio/mp3_format.h"

#include <mpg123.h>

#include <algorithm>
#include <array>
#include <optional>

#include "audio/mp3_frame.h"

namespace rw::audio {
namespace {

/// By how many frames a file may be shorter than it says: encoders count in different ways, and pad.
constexpr std::uint32_t slack_frames = 2;
/// By which decoders are late (ISO/IEC 11172-3's filter bank).
constexpr std::uint32_t decoder_delay = 529;

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

/// What a frame says that has no sound but facts about those that follow it ("Xing" or "Info", with LAME's addition;
/// "VBRI").
struct StreamFacts {
  std::uint32_t frames = 0;              ///< 0: it does not say
  std::uint32_t delay = 0, padding = 0;  ///< samples that the encoder has added
};

std::optional<StreamFacts> read_facts(std::string_view frame, const Mp3Frame& header) {
  constexpr std::size_t vbri_at = 36, vbri_frames_at = 14, tag_size = 8;
  if (frame.size() > vbri_at + vbri_frames_at + 4 && frame.substr(vbri_at, 4) == "VBRI")
    return StreamFacts{big_endian(frame.substr(vbri_at + vbri_frames_at, 4))};
  const std::size_t begin = Mp3Frame::header_bytes + header.side_bytes;
  if (frame.size() < begin + tag_size) return std::nullopt;
  const auto tag = frame.substr(begin);
  if (!tag.starts_with("Xing") && !tag.starts_with("Info")) return std::nullopt;
  const unsigned flags = big_endian(tag.substr(4, 4));
  StreamFacts facts;
  if ((flags & 1U) != 0 && tag.size() >= tag_size + 4) facts.frames = big_endian(tag.substr(tag_size, 4));
  const std::size_t table = 100;
  const std::size_t encoder = tag_size + ((flags & 1U) != 0 ? 4 : 0) + ((flags & 2U) != 0 ? 4 : 0) +
                              ((flags & 4U) != 0 ? table : 0) + ((flags & 8U) != 0 ? 4 : 0);
  constexpr std::size_t delays = 21;
  if (tag.size() >= encoder + delays + 3 && (tag[encoder] == 'L')) {
    const auto both = big_endian(tag.substr(encoder + delays, 3));
    facts.delay = both >> 12;
    facts.padding = both & 0xfff;
  }
  return facts;
}

class Mp3Format final : public FileFormat {
 public:
  explicit Mp3Format(ByteQueue& bytes) : bytes_(bytes) {
    static const int initialised = mpg123_init();
    int error = initialised;
    handle_.reset(mpg123_new(nullptr, &error));
    if (!handle_) return;
    constexpr long flags = MPG123_MONO_MIX | MPG123_FORCE_FLOAT | MPG123_QUIET | MPG123_NO_READAHEAD |
                           MPG123_IGNORE_INFOFRAME | MPG123_SKIP_ID3V2;
    mpg123_param(handle_.get(), MPG123_FLAGS, flags, 0);
  }

  Result<Step> step(Decoded& out) override {
    if (!handle_) return fail("the MP3 decoder can't be started");
    const auto there = bytes_.view();
    if (there.size() < Mp3Frame::header_bytes) return Step::starved;
    const auto frame = Mp3Frame::read(there);
    if (!frame || (!in_step_ || frame->stream_id != stream_)) {
      in_step_ = false;
      return find(there);
    }
    if (there.size() < frame->size) {
      partial_ = bytes_.ended();
      return Step::starved;
    }
    const auto decoded = play(there.substr(0, frame->size), *frame, out);
    bytes_.drop(frame->size);
    if (!decoded) return tl::unexpected(decoded.error());
    return Step::moved;
  }

  std::string missing() const override {
    if (frames_left_ <= slack_frames) return {};
    return std::to_string(frames_left_) + " of " + std::to_string(frames_) + " frames are not there";
  }
  bool ends_within_a_frame() const override { return partial_; }

 private:
  struct Delete {
    void operator()(mpg123_handle* handle) const { mpg123_delete(handle); }
  };

  /// Passes over what is no frame. One frame by itself may be chance.
  Result<Step> find(std::string_view there) {
    if (const auto tag = id3_length(there); tag > 0) {
      bytes_.drop(tag);
      return Step::moved;
    }
    if (there.starts_with("ID3") && there.size() < id3_header && !bytes_.ended()) return Step::starved;
    constexpr int enough = 3;
    std::size_t at = 0;
    for (; at + Mp3Frame::header_bytes <= there.size(); ++at) {
      if (there[at] != '\xff' && there[at] != 'I') continue;
      if (at > 0 && there.substr(at).starts_with("ID3")) break;
      const bool first = stream_ == 0;
      const auto run = find_mp3_run(there.substr(at), bytes_.ended(), first ? 2 : enough, first ? 1 : 2);
      if (run == Mp3Run::none) continue;
      bytes_.drop(at);
      if (run == Mp3Run::undecided) return Step::starved;
      if (const auto begun = begin(*Mp3Frame::read(bytes_.view())); !begun) return tl::unexpected(begun.error());
      return Step::moved;
    }
    bytes_.drop(at);
    return at > 0 ? Step::moved : Step::starved;
  }

  Result<void> begin(const Mp3Frame& frame) {
    in_step_ = true;
    if (frame.stream_id == stream_) return {};
    if (auto valid = check_sound(frame.rate, 1); !valid) return valid;
    stream_ = frame.stream_id;
    mpg123_close(handle_.get());
    if (mpg123_open_feed(handle_.get()) != MPG123_OK) return refused();
    return {};
  }

  Result<void> play(std::string_view bytes, const Mp3Frame& frame, Decoded& out) {
    if (const auto facts = read_facts(bytes, frame)) {
      frames_ = frames_left_ = facts->frames;
      const bool trims = facts->delay > 0 && frames_ > 0;
      skip_ = trims ? facts->delay + decoder_delay : 0;
      const auto all = static_cast<std::uint64_t>(frames_) * frame.samples;
      const auto added = static_cast<std::uint64_t>(facts->delay) + facts->padding;
      left_ = trims && all > added ? std::optional(all - added) : std::nullopt;
      return {};
    }
    if (mpg123_feed(handle_.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != MPG123_OK)
      return refused();
    out.begin(frame.rate);
    if (auto decoded = decode(out); !decoded) return decoded;
    trim(out.mono);
    return {};
  }

  Result<void> decode(Decoded& out) {
    std::array<float, 1152> piece;
    for (;;) {
      std::size_t bytes = 0;
      const int state =
          mpg123_read(handle_.get(), reinterpret_cast<unsigned char*>(piece.data()), sizeof piece, &bytes);
      out.mono.insert(out.mono.end(), piece.begin(),
                      piece.begin() + static_cast<std::ptrdiff_t>(bytes / sizeof(float)));
      out.values = 2 * out.mono.size();
      if (state == MPG123_NEED_MORE || state == MPG123_DONE) return {};
      if (state != MPG123_OK && state != MPG123_NEW_FORMAT) return refused();
    }
  }

  /// Leaves out what the encoder has added in front and behind.
  void trim(std::vector<float>& samples) {
    if (frames_left_ > 0 && --frames_left_ == 0 && !left_) skip_ = 0;
    const auto skipped = std::min<std::size_t>(skip_, samples.size());
    skip_ -= static_cast<std::uint32_t>(skipped);
    samples.erase(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(skipped));
    if (!left_) return;
    if (samples.size() > *left_) samples.resize(*left_);
    *left_ -= samples.size();
    if (frames_left_ == 0) left_.reset();  // what follows is another file's
  }

  tl::unexpected<Error> refused() const { return cant_decode(mpg123_strerror(handle_.get())); }

  ByteQueue& bytes_;
  std::unique_ptr<mpg123_handle, Delete> handle_;
  std::uint32_t stream_ = 0;  ///< Mp3Frame::stream_id of the frames under way; 0: there was none
  bool in_step_ = false;      ///< the next frame is where the last one ended
  bool partial_ = false;
  std::uint32_t frames_ = 0, frames_left_ = 0;  ///< as the file says
  std::uint32_t skip_ = 0;                      ///< samples that are not to be heard
  std::optional<std::uint64_t> left_;           ///< samples that are, if that is known
};

}  // namespace

std::unique_ptr<FileFormat> make_mp3_format(ByteQueue& bytes) {
  return std::make_unique<Mp3Format>(bytes);
}

}  // namespace rw::audio
