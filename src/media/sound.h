#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
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
/// appends and trims; any number read what is there meanwhile, without a lock. A frame never moves.
class Payload {
 public:
  static constexpr std::size_t unknown = std::numeric_limits<std::size_t>::max();
  /// `most`: frames that will be appended at most, if that is known. `first`: the first one's number.
  explicit Payload(rtp::Codec codec, std::size_t most = unknown, std::size_t first = 0)
      : codec_(codec), most_(most), frames_(first) {}

  rtp::Codec codec() const { return codec_; }
  /// The number of the next one.
  std::size_t frames() const { return frames_.load(std::memory_order_acquire); }
  /// Bytes in use.
  std::size_t memory() const { return memory_.load(std::memory_order_relaxed); }
  /// The payload of frame `index` (< frames(), and not trimmed).
  std::span<const std::uint8_t> frame(std::size_t index) const;
  /// `frame` has CodecFacts::frame_bytes, or, if that varies, at most max_frame_bytes.
  void append(std::span<const std::uint8_t> frame);
  /// Lets go of the memory of frames before `frame`, as far as nothing else is in it. Nobody may read them any more.
  void trim(std::size_t frame);

 private:
  /// The first blocks have room for 64, 128 and 256 frames, all others for 256: little is lost on short sounds, and
  /// long ones can be trimmed.
  static constexpr std::size_t first_block = 64, most_in_block = 256, growing_blocks = 2;
  static constexpr std::size_t blocks_in_group = 16, group_count = 48;
  struct Block {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::unique_ptr<std::uint32_t[]> ends;  ///< of the frames in `bytes`, if they vary in size
    std::size_t memory = 0;
  };
  using Group = std::array<Block, blocks_in_group>;
  struct Place {
    std::size_t block, index;
  };
  static Place place_of(std::size_t frame);
  static std::size_t room_of(std::size_t block);
  Block& block_at(std::size_t block) const { return (*groups_[block / blocks_in_group])[block % blocks_in_group]; }
  void begin_block(std::size_t block);

  const rtp::Codec codec_;
  const std::size_t most_;
  std::array<std::unique_ptr<Group>, group_count> groups_;
  std::size_t trimmed_ = 0;  ///< blocks
  std::atomic<std::size_t> frames_;
  std::atomic<std::size_t> memory_{sizeof(Payload)};
};

class Sound;
using SoundPtr = std::shared_ptr<const Sound>;

/// How far one listener of a Sound has come. Written by the media worker that plays it, read by who makes it.
class Listener {
 public:
  /// It takes the frame `at`; what stands before `needed` it does not come back to.
  void move(std::size_t at, std::size_t needed) {
    at_.store(at, std::memory_order_relaxed);
    needed_.store(needed, std::memory_order_release);
  }
  std::size_t at() const { return at_.load(std::memory_order_relaxed); }
  std::size_t needed() const { return needed_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::size_t> at_{0}, needed_{0};
};

/// A piece of audio that may be played to any number of legs at once: linear samples, and beside them one payload form
/// per codec, made when first asked for. It may be played while it still grows: then it ends where it ends, and is
/// silent where what comes next isn't there yet. Who makes it sees how far its listeners have come, and may let go of
/// what all of them have heard. Thread-safe; append(), encode() and trim() are slow and belong to background threads,
/// payload() and complete() are loads and belong to the media workers.
class Sound {
 public:
  /// A complete sound. `samples`: mono, `rate` Hz (8000 or 16000). Ends padded with silence to whole 20 ms frames.
  Sound(std::span<const std::int16_t> samples, std::uint32_t rate);
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

  /// Of what there has been so far.
  std::chrono::milliseconds duration() const;
  /// Nothing was trimmed.
  bool whole() const;

  /// The sound for a listener of its own, who counts as one as long as any copy of the pointer is there.
  static SoundPtr for_listener(std::shared_ptr<const Sound> sound);
  /// The listener that `sound` was made for, or null. Lives as long as the pointer.
  static Listener* listener_of(const SoundPtr& sound);
  struct Listening {
    std::size_t listeners = 0;
    std::size_t furthest = 0;  ///< frame that the first of them hears
    std::size_t needed = 0;    ///< the first frame that any of them comes back to
  };
  Listening listening() const;
  /// Lets go of what stands before `frame`, which nobody needs (Listening::needed), but for some of it.
  void trim(std::size_t frame);

  /// Makes the payload form for `codec` unless it is there; from now on it grows with the sound. Does nothing for a
  /// codec that can't have this sample rate. `most`: frames of it that are made now, more of them with each call. True:
  /// it is made as far as the sound goes, or can't be.
  bool encode(rtp::Codec codec, std::size_t most = Payload::unknown) const;
  /// The payload form is there, and goes as far as the sound does.
  bool has(rtp::Codec codec) const;
  /// Whole frames that there have been so far.
  std::size_t frames() const { return frames_.load(std::memory_order_relaxed); }
  /// The payload form, or null if encode() has not been done. Valid as long as the Sound.
  const Payload* payload(rtp::Codec codec) const;
  /// Bytes held, all forms together.
  std::size_t memory() const;

 private:
  struct Form {
    Form(rtp::Codec codec, std::size_t most, std::size_t first, std::unique_ptr<Encoder> coder)
        : payload(codec, most, first), encoder(std::move(coder)) {}
    Payload payload;
    std::unique_ptr<Encoder> encoder;
  };
  std::size_t frame_size() const { return rate_ / 1000 * frame_ms; }
  std::size_t whole_frames() const { return frame_size() == 0 ? 0 : sample_count_ / frame_size(); }
  void add(std::span<const std::int16_t> samples);
  void put(std::span<const std::int16_t> samples);
  bool extend(Form& form, std::size_t most) const;
  bool reaches_end(const Form& form) const;

  const std::uint32_t rate_;
  mutable std::mutex mutex_;
  std::deque<std::vector<std::int16_t>> samples_;                           ///< a second each; guarded by mutex_
  std::size_t first_frame_ = 0;                                             ///< of samples_; guarded by mutex_
  std::size_t sample_count_ = 0;                                            ///< of samples_; guarded by mutex_
  std::string problem_;                                                     ///< guarded by mutex_
  mutable std::array<std::unique_ptr<Form>, rtp::codecs.size()> forms_;     ///< guarded by mutex_
  mutable std::array<std::atomic<Form*>, rtp::codecs.size()> published_{};  ///< the same, for the workers
  std::atomic<std::size_t> frames_{0};
  std::atomic<bool> complete_{false};
  mutable std::mutex listeners_mutex_;
  mutable std::vector<std::weak_ptr<Listener>> listeners_;  ///< guarded by listeners_mutex_
};

}  // namespace rw::media
