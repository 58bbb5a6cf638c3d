#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rw::media {

/// A mix of sine waves that goes on and off.
struct ToneSpec {
  std::vector<double> frequencies;                 ///< Hz
  std::vector<std::chrono::milliseconds> cadence;  ///< on, off, on, off, … repeated; empty: without a break
};

/// A tone of a country's plan (ITU-T E.180, supplement 2). `plan`: se, eu, uk, us, de, fr; `name`: dial, ringback,
/// busy, congestion. The error names what is unknown and what there is.
Result<ToneSpec> plan_tone(std::string_view plan, std::string_view name);

/// `length` of the tone at `rate` Hz, at -10 dBm0 altogether, each burst with soft edges. Frequencies above half the
/// rate are left out. Computed piece by piece, as it is needed.
class ToneSamples {
 public:
  ToneSamples(const ToneSpec& tone, std::chrono::milliseconds length, std::uint32_t rate);
  /// Puts the next samples into `room`. How many; 0: that was all.
  std::size_t next(std::span<std::int16_t> room);
  /// Altogether.
  std::size_t count() const { return count_; }

 private:
  std::vector<double> frequencies_;
  std::vector<std::chrono::milliseconds> cadence_;
  double period_ = 0;
  std::uint32_t rate_;
  double seconds_;
  std::size_t count_, at_ = 0;
};
/// All of them at once.
std::vector<std::int16_t> tone_samples(const ToneSpec& tone, std::chrono::milliseconds length,
                                       std::uint32_t rate = 8000);

/// The two frequencies of a DTMF digit (ITU-T Q.23): 0-9 * # A-D, either case. Nothing for another character.
std::optional<ToneSpec> dtmf_tone(char digit);

}  // namespace rw::media
