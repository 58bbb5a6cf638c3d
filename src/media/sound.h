#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "media/codec.h"
#include "rtp/codec.h"

namespace rw::media {

/// Audio in the form in which it goes into RTP packets: 20 ms frames, one after the other. One thread at a time
/// appends; any number read what is there meanwhile, without a lock. A frame never moves.
class Payload {
 public:
  static constexpr std::size_t unknown = std::numeric_limits<std::size_t>::max();
  /// `most`: frames that will be appended at most, if that is known.
  explicit Payload(rtp::Codec codec, std::size_t most = unknown) : codec_(codec), most_(most) {}

  rtp::Codec codec() const { return codec_; }
  std::size_t frames() const { return frames_.load(std::memory_order_acquire); }
  /// Bytes in use.
  std::size_t memory() const { return memory_.load(std::memory_order_relaxed); }
  /// The payload of frame `index` (< frames()).
  std::span<const std::uint8_t> frame(std::size_t index) const;
  /// `frame` has CodecFacts::frame_bytes, or, if that varies, at most max_frame_bytes.
  void append(std::span<const std::uint8_t> frame);

 private:
  /// Block n has room for first_block << n frames, so that few of them hold any length.
  static constexpr std::size_t first_block = 64;
  static constexpr std::size_t block_count = 20;
  struct Block {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::unique_ptr<std::uint32_t[]> ends;  ///< of the frames in `bytes`, if they vary in size
  };
  struct Place {
    std::size_t block, index;
  };
  static Place place_of(std::size_t frame);
  void begin_block(std::size_t block);

  const rtp::Codec codec_;
  const std::size_t most_;
  std::array<Block, block_count> blocks_;
  std::atomic<std::size_t> frames_{0};
  std::atomic<std::size_t> memory_{sizeof(Payload)};
};

/// A piece of audio that may be played to any number of legs at once: linear samples, and beside them one payload form
/// per codec, made when first asked for. It may be played while it still grows: then it ends where it ends, and is
/// silent where what comes next isn't there yet. Thread-safe; append() and encode() are slow and belong to background
/// threads, payload() and complete() are loads and belong to the media workers.
class Sound {
 public:
  /// A complete sound. `samples`: mono, `rate` Hz (8000 or 16000). Ends padded with silence to whole 20 ms frames.
  Sound(std::vector<std::int16_t> samples, std::uint32_t rate);
  /// An empty one, which grows until finish().
  explicit Sound(std::uint32_t rate);
  ~Sound();
  Sound(const Sound&) = delete;
  Sound& operator=(const Sound&) = delete;

  void append(std::span<const std::int16_t> samples);
  /// No more comes. `problem`: why it breaks off here, or empty.
  void finish(std::string problem = {});
  bool complete() const { return complete_.load(std::memory_order_acquire); }
  /// Why it broke off; empty if it did not, or has not yet.
  std::string problem() const;

  /// Of what is there.
  std::chrono::milliseconds duration() const;
  /// Makes the payload form for `codec` unless it is there; from now on it grows with the sound. Does nothing for a
  /// codec that can't have this sample rate.
  void encode(rtp::Codec codec) const;
  /// The payload form, or null if encode() has not been done. Valid as long as the Sound.
  const Payload* payload(rtp::Codec codec) const;
  /// Bytes held, all forms together.
  std::size_t memory() const;

 private:
  struct Form {
    Form(rtp::Codec codec, std::size_t most, std::unique_ptr<Encoder> coder)
        : payload(codec, most), encoder(std::move(coder)) {}
    Payload payload;
    std::unique_ptr<Encoder> encoder;
  };
  std::size_t frame_size() const { return rate_ / 1000 * frame_ms; }
  void extend(Form& form) const;

  const std::uint32_t rate_;
  mutable std::mutex mutex_;
  std::vector<std::int16_t> samples_;                                       ///< guarded by mutex_
  std::string problem_;                                                     ///< guarded by mutex_
  mutable std::array<std::unique_ptr<Form>, rtp::codecs.size()> forms_;     ///< guarded by mutex_
  mutable std::array<std::atomic<Form*>, rtp::codecs.size()> published_{};  ///< the same, for the workers
  std::atomic<bool> complete_{false};
};

using SoundPtr = std::shared_ptr<const Sound>;

}  // namespace rw::media
