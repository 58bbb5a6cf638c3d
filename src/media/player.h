#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "media/codec.h"
#include "media/digit_sequence.h"
#include "media/engine.h"
#include "media/sound_cursor.h"

namespace rw::media {

/// What a leg hears, 20 ms at a time: the foreground's items one after the other, the background while there are none,
/// else silence. What is cut off in the middle fades out within one more frame, and a background that goes on in the
/// middle fades in, so that nothing clicks; in the G.711 codecs, whose frames can be changed one by one.
class Player {
 public:
  struct Ended {
    PlayId play;
    bool completed;
  };
  struct Frame {
    std::span<const std::uint8_t> payload;      ///< audio; empty: silence
    std::optional<DigitSequence::Event> event;  ///< in place of audio
    bool echo = false;                          ///< the leg's own audio is wanted
  };

  void add(Play play);
  /// Digits that nobody waits for are dropped while more of them are waiting than anybody presses.
  void add(SendDigits digits);
  void add(Echo echo);
  void stop(PlayId item);
  void stop_all();
  /// There is a foreground.
  bool busy() const { return !queue_.empty(); }
  /// And digits are what is played of it.
  bool sends_digits() const { return busy() && std::holds_alternative<DigitSequence>(queue_.front().what); }
  /// Null ends it.
  void set_background(SoundPtr sound, std::chrono::milliseconds pause);

  /// The frame for the next 20 ms, whose RTP time is `timestamp`. Its payload is valid until frame_sent(). `events`:
  /// how digits are sent; nothing: as tones.
  Frame next(rtp::Codec codec, const std::optional<rtp::EventFormat>& events, std::uint32_t timestamp);
  /// The frame has gone out: if it was an item's last, that item has ended.
  void frame_sent();
  /// What came to its end, in this order, since clear_ended().
  const std::vector<Ended>& ended() const { return ended_; }
  void clear_ended() { ended_.clear(); }

 private:
  struct EchoTime {
    std::uint64_t frames;
  };
  struct Item {
    PlayId id;
    std::variant<SoundCursor, DigitSequence, EchoTime> what;
  };
  enum class Fade : std::uint8_t { in, out };
  static bool is_over(const Item& item);
  void cut(const Item& item);
  Frame next_background(rtp::Codec codec);
  std::span<const std::uint8_t> faded(Fade fade, rtp::Codec codec, std::span<const std::uint8_t> payload);
  Frame next_of(Item& item, rtp::Codec codec, const std::optional<rtp::EventFormat>& events, std::uint32_t timestamp);
  void drop_front();

  std::vector<Item> queue_;  ///< the first one plays
  std::optional<SoundCursor> background_;
  bool background_sounds_ = false;      ///< the last frame was the background's
  std::optional<SoundCursor> cut_off_;  ///< what was cut off in the middle
  std::array<std::uint8_t, frame_samples> faded_{};
  std::vector<Ended> ended_;
};

}  // namespace rw::media
