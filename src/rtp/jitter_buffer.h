#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace rw::rtp {

/// Puts a stream's packets back into order and hands them out at an even pace. Fixed in size: nothing is
/// allocated. Holds back `depth` frames at the start of a talkspurt, one more whenever frames come too late, one less
/// after a long time without.
class JitterBuffer {
 public:
  static constexpr std::size_t slots = 12;
  static constexpr std::size_t max_frame = 1600;  ///< bytes, 200 ms of G.711; a longer one is dropped

  /// A frame that has come. Late ones and duplicates are dropped.
  void put(std::uint16_t sequence, std::span<const std::uint8_t> payload);

  /// A packet of the stream that is no frame, as of a key that is pressed: once all before it has been played, nothing
  /// is missing there, and what follows is not held back for it.
  void skip(std::uint16_t sequence);

  enum class State : std::uint8_t {
    frame,  ///< here is the next one
    lost,   ///< it is missing though later ones are here: conceal it
    empty   ///< nothing is there to be played
  };
  struct Taken {
    State state = State::empty;
    std::span<const std::uint8_t> payload;  ///< valid until the next put()
  };
  /// The frame that is due; once per 20 ms.
  Taken take();
  void reset() { *this = {}; }

 private:
  struct Slot {
    bool filled = false;
    std::uint16_t sequence = 0;
    std::uint16_t length = 0;
    std::array<std::uint8_t, max_frame> bytes;
  };
  std::size_t filled() const;

  std::array<Slot, slots> slots_{};
  bool started_ = false;                  ///< frames have come
  bool playing_ = false;                  ///< and enough of them to begin
  std::uint16_t next_ = 0;                ///< sequence number to be taken next
  std::optional<std::uint16_t> untaken_;  ///< the first one that has not been taken: nothing goes back behind it
  std::size_t depth_ = 2;
  std::uint32_t calm_ = 0;  ///< frames since the last late one
};

}  // namespace rw::rtp
