#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace rw::test {

/// What a line does to its packets. The shares are of all packets, 0 to 1.
struct Weather {
  double loss = 0;
  double burst = 0;  ///< of packets at which `burst_length` packets in a row begin to be lost
  int burst_length = 3;
  double duplicates = 0;  ///< that come a second time, up to 3 packets later
  double reordered = 0;   ///< that come 1 to 3 packets later
  double late = 0;        ///< that come 8 to 20 packets later
  double bunched = 0;     ///< at which up to 5 packets begin to be held, to come all at once
};

/// A network between two units, without time: one packet is put in at each step, and what has come at that step is
/// taken out. What becomes of a packet is drawn from the seed and its number alone.
template <class Packet>
class BadLine {
 public:
  BadLine(std::uint32_t seed, Weather weather) : random_(seed), weather_(weather) {}

  /// The next packet goes in; returns what comes out at this step, in the order in which it comes.
  std::vector<Packet> step(Packet packet) {
    enter(std::move(packet));
    return take(step_++);
  }
  /// Nothing goes in; what is still on its way comes out as time passes.
  std::vector<Packet> step() { return take(step_++); }
  /// All that is still on its way.
  std::vector<Packet> rest() { return take(~std::uint64_t{0} / halves); }

  std::size_t lost() const { return lost_; }

 private:
  static constexpr std::uint64_t halves = 2;  ///< of a step: in its turn, and behind what has its turn then

  double share() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::uint64_t between(std::uint64_t first, std::uint64_t last) {
    return std::uniform_int_distribution<std::uint64_t>(first, last)(random_);
  }

  void enter(Packet packet) {
    // As many numbers are drawn for each packet, so that one kind of trouble does not change what another one hits.
    const double loss = share(), burst = share(), twice = share(), swap = share(), late = share(), bunch = share();
    const std::uint64_t apart = between(0, 3), behind = between(1, 3), far = between(8, 20), together = between(2, 5);
    if (burst < weather_.burst) losing_ = weather_.burst_length;
    if (losing_ > 0 || loss < weather_.loss) {
      losing_ = std::max(losing_ - 1, 0);
      ++lost_;
      return;
    }
    std::uint64_t due = step_ * halves;
    if (late < weather_.late) {
      due += far * halves + 1;
    } else if (swap < weather_.reordered) {
      due += behind * halves + 1;
    } else if (bunching_ > 0) {
      due += bunching_-- * halves;
    } else if (bunch < weather_.bunched) {
      due += together * halves;
      bunching_ = together - 1;
    }
    if (twice < weather_.duplicates) underway_.emplace(due + apart * halves + 1, packet);
    underway_.emplace(due, std::move(packet));
  }

  std::vector<Packet> take(std::uint64_t step) {
    std::vector<Packet> out;
    const auto end = underway_.upper_bound(step * halves + 1);
    for (auto one = underway_.begin(); one != end; ++one) out.push_back(std::move(one->second));
    underway_.erase(underway_.begin(), end);
    return out;
  }

  std::mt19937 random_;  // NOLINT(cert-msc51-cpp): the same packets each time
  const Weather weather_;
  std::multimap<std::uint64_t, Packet> underway_;  ///< by the half step at which they come
  std::uint64_t step_ = 0, bunching_ = 0;
  int losing_ = 0;
  std::size_t lost_ = 0;
};

struct NamedWeather {
  const char* name;
  Weather weather;
};
inline constexpr std::array weathers{
    NamedWeather{"loss", {.loss = 0.2}},
    NamedWeather{"bursts", {.burst = 0.03, .burst_length = 4}},
    NamedWeather{"duplicates", {.duplicates = 0.5}},
    NamedWeather{"reordering", {.reordered = 0.3}},
    NamedWeather{"late_packets", {.late = 0.1}},
    NamedWeather{"bunches", {.bunched = 0.1}},
    NamedWeather{"all_of_it",
                 {.loss = 0.15, .burst = 0.01, .duplicates = 0.1, .reordered = 0.1, .late = 0.02, .bunched = 0.03}}};

}  // namespace rw::test
