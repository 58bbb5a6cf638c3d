#include "media/tone.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <numbers>
#include <string>

#include "base/ascii.h"

namespace rw::media {
namespace {

using std::chrono::milliseconds;

struct PlanTone {
  std::string_view plan, name;
  std::array<double, 2> frequencies;  ///< 0: unused
  std::array<int, 4> cadence;         ///< ms on, off, on, off; 0 ends it
};

constexpr std::array<std::string_view, 6> plans{"se", "eu", "uk", "us", "de", "fr"};
constexpr std::array<std::string_view, 4> names{"dial", "ringback", "busy", "congestion"};

constexpr std::array<PlanTone, 24> plan_tones{{
    {"se", "dial", {425, 0}, {}},           {"se", "ringback", {425, 0}, {1000, 5000}},
    {"se", "busy", {425, 0}, {250, 250}},   {"se", "congestion", {425, 0}, {250, 750}},
    {"eu", "dial", {425, 0}, {}},           {"eu", "ringback", {425, 0}, {1000, 4000}},
    {"eu", "busy", {425, 0}, {500, 500}},   {"eu", "congestion", {425, 0}, {200, 200}},
    {"uk", "dial", {350, 440}, {}},         {"uk", "ringback", {400, 450}, {400, 200, 400, 2000}},
    {"uk", "busy", {400, 0}, {375, 375}},   {"uk", "congestion", {400, 0}, {400, 350, 225, 525}},
    {"us", "dial", {350, 440}, {}},         {"us", "ringback", {440, 480}, {2000, 4000}},
    {"us", "busy", {480, 620}, {500, 500}}, {"us", "congestion", {480, 620}, {250, 250}},
    {"de", "dial", {425, 0}, {}},           {"de", "ringback", {425, 0}, {1000, 4000}},
    {"de", "busy", {425, 0}, {480, 480}},   {"de", "congestion", {425, 0}, {240, 240}},
    {"fr", "dial", {440, 0}, {}},           {"fr", "ringback", {440, 0}, {1500, 3500}},
    {"fr", "busy", {440, 0}, {500, 500}},   {"fr", "congestion", {440, 0}, {250, 250}},
}};

template <class List>
std::string joined(const List& words) {
  std::string text;
  for (const auto word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

/// Peak of a sine of 0 dBm0 in 16-bit samples: G.711 clips 3.14 dB above it.
constexpr double full_level = 22378.0;
constexpr double level = 0.3162;  // -10 dB
constexpr double edge_seconds = 0.005;

/// Where in the cadence a moment is: seconds since the burst began and until it ends. Nothing in a pause.
struct Burst {
  double since, left;
};
std::optional<Burst> burst_at(const std::vector<milliseconds>& cadence, double period, double time, double length) {
  if (period <= 0) return Burst{time, length - time};
  double begin = std::floor(time / period) * period;
  bool on = true;
  for (const milliseconds part : cadence) {
    const double end = begin + std::chrono::duration<double>(part).count();
    if (time < end) return on ? std::optional(Burst{time - begin, std::min(end, length) - time}) : std::nullopt;
    begin = end;
    on = !on;
  }
  return std::nullopt;
}

}  // namespace

Result<ToneSpec> plan_tone(std::string_view plan, std::string_view name) {
  const auto found =
      std::ranges::find_if(plan_tones, [&](const PlanTone& tone) { return tone.plan == plan && tone.name == name; });
  if (found == plan_tones.end()) {
    if (std::ranges::find(plans, plan) == plans.end())
      return fail("unknown tone plan '" + std::string(plan) + "': there are " + joined(plans));
    return fail("unknown tone '" + std::string(name) + "': there are " + joined(names));
  }
  ToneSpec tone;
  std::ranges::copy_if(found->frequencies, std::back_inserter(tone.frequencies),
                       [](double frequency) { return frequency > 0; });
  for (const int part : found->cadence)
    if (part > 0) tone.cadence.emplace_back(part);
  return tone;
}

ToneSamples::ToneSamples(const ToneSpec& tone, milliseconds length, std::uint32_t rate)
    : cadence_(tone.cadence),
      rate_(rate),
      seconds_(std::chrono::duration<double>(length).count()),
      count_(length.count() > 0 ? static_cast<std::size_t>(std::lround(seconds_ * rate)) : 0) {
  std::ranges::copy_if(tone.frequencies, std::back_inserter(frequencies_),
                       [&](double frequency) { return frequency > 0 && frequency < rate / 2.0; });
  for (const milliseconds part : cadence_) period_ += std::chrono::duration<double>(part).count();
}

std::size_t ToneSamples::next(std::span<std::int16_t> room) {
  const std::size_t count = std::min(room.size(), count_ - at_);
  const double amplitude = full_level * level / std::sqrt(static_cast<double>(frequencies_.size()));
  for (std::size_t i = 0; i < count; ++i, ++at_) {
    room[i] = 0;
    const double time = static_cast<double>(at_) / rate_;
    const auto burst = frequencies_.empty() ? std::nullopt : burst_at(cadence_, period_, time, seconds_);
    if (!burst) continue;
    double sum = 0;
    for (const double frequency : frequencies_) sum += std::sin(2 * std::numbers::pi * frequency * time);
    // Soft edges, so that a burst does not click.
    const double gain = std::clamp(std::min(burst->since, burst->left) / edge_seconds, 0.0, 1.0);
    room[i] = static_cast<std::int16_t>(std::clamp(std::lround(sum * amplitude * gain), -32768L, 32767L));
  }
  return count;
}

std::vector<std::int16_t> tone_samples(const ToneSpec& tone, milliseconds length, std::uint32_t rate) {
  ToneSamples made(tone, length, rate);
  std::vector<std::int16_t> samples(made.count());
  made.next(samples);
  return samples;
}

std::optional<ToneSpec> dtmf_tone(char digit) {
  constexpr std::string_view keys = "123A456B789C*0#D";
  constexpr std::array<double, 4> rows{697, 770, 852, 941};
  constexpr std::array<double, 4> columns{1209, 1336, 1477, 1633};
  const std::size_t key = keys.find(to_upper(digit));
  if (digit == 0 || key == std::string_view::npos) return std::nullopt;
  return ToneSpec{{rows[key / 4], columns[key % 4]}, {}};
}

}  // namespace rw::media
