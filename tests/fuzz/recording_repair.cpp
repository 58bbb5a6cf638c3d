// A file that was cut anywhere, or is anybody's: its repair ends, stays within it, and needs no other.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "recording/repair.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rw::recording;
  for (const auto format : {Format::wav, Format::mp3, Format::ogg}) {
    std::vector<std::uint8_t> bytes(data, data + size);
    const auto repair = plan_repair(format, bytes);
    if (!repair) continue;
    if (repair->size > size) std::abort();
    for (const auto& patch : repair->patches) {
      if (patch.at + patch.bytes.size() > repair->size) std::abort();
    }
    if (!repair_bytes(format, bytes)) std::abort();
    const auto again = plan_repair(format, bytes);
    if (!again || again->size != bytes.size() || !again->patches.empty()) std::abort();
  }
  return 0;
}
