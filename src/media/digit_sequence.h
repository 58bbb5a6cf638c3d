#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "media/engine.h"
#include "media/sound_cursor.h"
#include "rtp/telephone_event.h"

namespace rw::media {

/// Digits on their way out, 20 ms at a time: as telephone events (RFC 4733), or as tones. Which of the two is settled
/// by the first frame.
class DigitSequence {
 public:
  explicit DigitSequence(SendDigits send);

  struct Event {
    std::array<std::uint8_t, 4> payload;
    bool marker;
    std::uint32_t timestamp;  ///< of the digit's beginning
  };
  struct Frame {
    std::optional<Event> event;             ///< to be sent in place of audio
    std::span<const std::uint8_t> payload;  ///< else: audio; empty for silence
  };
  /// `timestamp`: RTP time of this frame. `events`: how telephone events are sent; nothing: as tones.
  Frame next(rtp::Codec codec, const std::optional<rtp::EventFormat>& events, std::uint32_t timestamp);
  bool over() const { return over_; }
  PlayId id() const { return send_.id; }

 private:
  Frame next_event(std::uint32_t timestamp);
  Frame next_tone(rtp::Codec codec);
  void begin_digit(std::uint32_t timestamp);

  SendDigits send_;  ///< with only those digits that can be sent
  bool over_;
  std::size_t digit_ = 0;
  std::uint32_t gap_frames_ = 0;  ///< still to come
  std::uint32_t begun_at_ = 0;
  std::uint32_t event_clock_ = 8000;
  std::optional<rtp::TelephoneEventSender> sender_;
  SoundPtr tones_;  ///< all digits, made when the first frame is due and no events are negotiated
  std::optional<SoundCursor> cursor_;
};

}  // namespace rw::media
