#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

struct dtmf_rx_state_s;

namespace rw::media {

/// Finds DTMF tones in speech at 8000 Hz (ITU-T Q.24), for legs that did not negotiate RFC 4733.
class DtmfDetector {
 public:
  DtmfDetector();
  /// The next part of the audio. Returns a digit (0-9 * # A-D) once for each tone, as soon as it is sure: some 40 ms
  /// after it began.
  std::optional<char> put(std::span<const std::int16_t> samples);
  /// So many samples were lost: keeps a digit from being split or counted twice.
  void put_gap(std::size_t samples);

 private:
  struct Free {
    void operator()(dtmf_rx_state_s* state) const;
  };
  std::unique_ptr<dtmf_rx_state_s, Free> state_;
};

}  // namespace rw::media
