#include "audio/resample.h"

#include <soxr.h>

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

}  // namespace rw::audio
