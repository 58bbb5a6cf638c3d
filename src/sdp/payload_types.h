#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sdp/session.h"

namespace rw::sdp {

/// What the payload type numbers of a dialog's audio stream mean. A number that has once been used for a format may
/// not be used for another one for as long as the session lasts (RFC 3264 8.3.2), whoever's media are described. So the
/// formats of our offers keep the numbers that they have.
class PayloadTypes {
 public:
  /// Remembers the numbers of the other side's description; `is_offer`: our answer has the same ones.
  void learn(const Media& media, bool is_offer);
  /// The number for a format in an offer of ours, e.g. "telephone-event/8000": the one that it has, else `usual`, else
  /// a free one.
  std::uint8_t number_for(std::string_view format, std::uint8_t usual);

 private:
  static constexpr std::size_t count = 128;
  std::array<std::string, count> formats_;  ///< in lower case; empty: the number is free
  std::vector<std::uint8_t> ours_;          ///< numbers that we have used, the latest last; each once
};

}  // namespace rw::sdp
