#pragma once

#include <cstdint>
#include <limits>

namespace rw::recording {

/// Where the packets of one side belong on the time line of a recording.
///
/// A stream is placed by the arrival of its first packet and from then on by its RTP timestamps, so jitter does not
/// show. The sender's clock is not ours, and the first packet may have been late: the shortest delay of some seconds
/// says how far the stream is from where it belongs. While somebody speaks it is moved by one sample in a thousand at
/// most, so that nobody hears it; in silence by as much as the silence has room for. Pure; positions are in samples of
/// the file since its start.
class StreamClock {
 public:
  /// `rate`: of the file, in Hz.
  explicit StreamClock(std::uint32_t rate) : rate_(rate) {}

  struct Place {
    std::int64_t position = 0;
    bool anew = false;  ///< by its arrival: nothing connects it with what came before
  };
  /// Of a packet. `rtp_clock`: Hz of `timestamp`, not 0.
  struct Stamp {
    std::uint32_t ssrc = 0, rtp_clock = 0, timestamp = 0;
  };
  /// What the file has before the packet.
  struct Before {
    std::int64_t end = 0;     ///< position behind the sound that was placed last
    std::int64_t silent = 0;  ///< how much of the end of it is silence
    bool lost = false;        ///< packets are missing in between
  };
  /// To be called in the order of the packets. `arrival`: the position of the moment at which the packet came.
  Place place(const Stamp& stamp, std::int64_t arrival, const Before& before);

  /// The next packet is placed by its arrival.
  void forget() { started_ = false; }

 private:
  std::int64_t seconds(double count) const { return static_cast<std::int64_t>(count * rate_); }
  /// Position by timestamp alone, since the stream was placed.
  std::int64_t raw(std::int64_t timestamp) const { return (timestamp - first_) * rate_ / rtp_clock_; }
  bool fits(std::int64_t position, std::int64_t arrival, std::int64_t pause) const;
  void observe(std::int64_t delay, std::int64_t arrival);
  void follow(std::int64_t passed);
  void move_in_silence(std::int64_t position, const Before& before);

  const std::int64_t rate_;
  bool started_ = false;
  std::uint32_t ssrc_ = 0;
  std::int64_t rtp_clock_ = 8000;
  std::int64_t first_ = 0, last_ = 0;                                 ///< timestamps without wrapping
  std::int64_t offset_ = 0;                                           ///< position of first_, as corrected so far
  std::int64_t wanted_ = 0;                                           ///< what offset_ ought to be
  std::int64_t window_began_ = 0;                                     ///< arrival
  std::int64_t shortest_ = std::numeric_limits<std::int64_t>::max();  ///< delay in the window
  double allowance_ = 0;                                              ///< samples that may be corrected now
};

}  // namespace rw::recording
