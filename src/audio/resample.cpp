#include "audio/resample.h"

#include <soxr.h>

#include <cmath>

namespace rw::audio {

Result<Samples> resample(Samples input, std::uint32_t rate) {
  if (input.rate == rate) return input;
  const auto expected = input.samples.size() * static_cast<std::uint64_t>(rate) / input.rate;
  Samples output;
  output.rate = rate;
  output.samples.resize(expected + 64);
  const auto format = soxr_io_spec(SOXR_INT16_I, SOXR_INT16_I);
  const auto quality = soxr_quality_spec(SOXR_HQ, 0);
  const auto runtime = soxr_runtime_spec(1);
  std::size_t used = 0, made = 0;
  const auto* problem = soxr_oneshot(input.rate, rate, 1, input.samples.data(), input.samples.size(), &used,
                                     output.samples.data(), output.samples.size(), &made, &format, &quality, &runtime);
  if (problem != nullptr) return fail(std::string("can't be resampled: ") + problem);
  output.samples.resize(made);
  return output;
}

Result<Resampler> Resampler::make(std::uint32_t from, std::uint32_t to) {
  const auto format = soxr_io_spec(SOXR_FLOAT32_I, SOXR_INT16_I);
  const auto quality = soxr_quality_spec(SOXR_HQ, 0);
  const auto runtime = soxr_runtime_spec(1);
  soxr_error_t problem = nullptr;
  soxr_t state = soxr_create(from, to, 1, &problem, &format, &quality, &runtime);
  if (problem != nullptr) return fail(std::string("can't be resampled: ") + problem);
  return Resampler(State(state, [](void* held) { soxr_delete(static_cast<soxr_t>(held)); }),
                   static_cast<double>(to) / from);
}

void Resampler::feed(std::span<const float> piece, std::vector<std::int16_t>& out) {
  while (!piece.empty()) {
    const auto before = out.size();
    const auto room = static_cast<std::size_t>(std::ceil(static_cast<double>(piece.size()) * ratio_)) + 64;
    out.resize(before + room);
    std::size_t used = 0, made = 0;
    soxr_process(static_cast<soxr_t>(state_.get()), piece.data(), piece.size(), &used, out.data() + before, room,
                 &made);
    out.resize(before + made);
    if (used == 0 && made == 0) return;
    piece = piece.subspan(used);
  }
}

void Resampler::finish(std::vector<std::int16_t>& out) {
  constexpr std::size_t room = 4096;
  for (;;) {
    const auto before = out.size();
    out.resize(before + room);
    std::size_t made = 0;
    soxr_process(static_cast<soxr_t>(state_.get()), nullptr, 0, nullptr, out.data() + before, room, &made);
    out.resize(before + made);
    if (made == 0) return;
  }
}

}  // namespace rw::audio
