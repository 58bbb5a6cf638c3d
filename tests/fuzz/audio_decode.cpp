// A file from anybody: decoding it ends, in bounded time and memory.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "audio/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto samples = rw::audio::decode_memory(std::span(data, size), std::chrono::minutes(1));
  if (samples && samples->samples.empty()) std::abort();
  return 0;
}
