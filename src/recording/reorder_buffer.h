#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "media/recording_tap.h"

namespace rw::recording {

/// Gives the packets of one side in the order in which they were sent. One that is missing is waited for, for as long
/// as others come, up to `patience`; duplicates and what comes too late are dropped. Packets in order pass through
/// without being copied.
class ReorderBuffer {
 public:
  static constexpr Duration patience = std::chrono::milliseconds(240);
  static constexpr std::size_t most_held = 32;

  struct Next {
    media::RecordedPacket packet;  ///< the payload is valid until the next call of anything
    bool after_loss = false;       ///< one or more before it did not come
  };

  /// Takes a packet in; then call next() until it has no more.
  void put(const media::RecordedPacket& packet);
  /// `now`: what has waited long enough by then is given though others before it are missing.
  std::optional<Next> next(TimePoint now);
  /// What is left, at the end.
  std::optional<Next> next_of_rest() { return next(TimePoint::max()); }

 private:
  struct Held {
    media::RecordedPacket packet;
    std::vector<std::uint8_t> payload;
    bool used = false;
  };
  void hold(const media::RecordedPacket& packet);
  void begin_stream(const media::RecordedPacket& packet);
  Held* oldest();
  Next give(const media::RecordedPacket& packet);

  std::optional<media::RecordedPacket> passing_;  ///< the one just put, if it is the next
  std::vector<Held> held_;
  std::size_t waiting_ = 0;  ///< how many of held_ are used
  bool started_ = false;
  bool restarting_ = false;  ///< what is held belongs to the stream before; give all of it, then passing_
  std::uint32_t ssrc_ = 0;
  std::uint16_t expected_ = 0;
  std::optional<std::uint16_t> restart_;  ///< number that would prove that the sender began anew
};

}  // namespace rw::recording
