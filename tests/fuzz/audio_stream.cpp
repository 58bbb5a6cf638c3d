// A file from anybody that comes in pieces: decoding it ends, in bounded time and memory.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "audio/decode.h"
#include "audio/stream_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span bytes(reinterpret_cast<const char*>(data), size);
  rw::audio::StreamDecoder decoder;
  std::vector<float> heard;
  bool well = true;
  while (well && !bytes.empty()) {
    const auto part = bytes.first(std::min<std::size_t>(61, bytes.size()));
    well = decoder.feed(part, heard).has_value();
    bytes = bytes.subspan(part.size());
  }
  if (well && decoder.finish(heard) && (heard.empty() || decoder.rate() < rw::audio::min_rate)) std::abort();
  return 0;
}
