#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "recording/format.h"

namespace rw::recording {

/// What makes a whole file of one that ends anywhere.
struct Repair {
  std::uint64_t size = 0;  ///< to which it is cut
  struct Patch {
    std::uint64_t at = 0;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<Patch> patches;  ///< within `size`
  std::chrono::milliseconds duration{0};
};

/// `bytes`: a file as SoundEncoder began it, and whatever came behind. WAV: the sizes in its header. MP3: cut to the
/// last whole frame. Ogg: cut to the last whole page, which is marked as the last. Of a file that is whole nothing is
/// changed. An error if not even its beginning is there. Pure; the bytes may be anybody's.
Result<Repair> plan_repair(Format format, std::span<const std::uint8_t> bytes);

/// Does it to a file on disk, up to fsync.
Result<Repair> repair_file(Format format, const std::string& path);
/// Does it to bytes in memory.
Result<Repair> repair_bytes(Format format, std::vector<std::uint8_t>& bytes);

}  // namespace rw::recording
