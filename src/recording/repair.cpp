#include "recording/repair.h"

#include <fcntl.h>
#include <ogg/ogg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "audio/mp3_frame.h"
#include "media/file_descriptor.h"
#include "recording/wav_layout.h"

namespace rw::recording {
namespace {

using Span = std::span<const std::uint8_t>;

std::uint64_t little_endian(Span bytes, std::size_t at, int octets) {
  std::uint64_t value = 0;
  for (int i = 0; i < octets; ++i) value |= std::uint64_t{bytes[at + static_cast<std::size_t>(i)]} << (8 * i);
  return value;
}

bool has_text(Span bytes, std::size_t at, std::string_view text) {
  return bytes.size() >= at + text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

std::chrono::milliseconds milliseconds(std::uint64_t samples, std::uint64_t rate) {
  return std::chrono::milliseconds(samples * 1000 / rate);
}

Result<Repair> repair_wav(Span bytes) {
  if (bytes.size() < wav_header_bytes || !has_text(bytes, 0, "RIFF") || !has_text(bytes, 8, "WAVEfmt ") ||
      !has_text(bytes, 36, "data"))
    return fail("not a WAV file that was recorded here");
  const auto channels = little_endian(bytes, wav_channels_at, 2);
  const auto rate = little_endian(bytes, wav_rate_at, 4);
  if (channels < 1 || channels > 2 || rate == 0) return fail("not a WAV file that was recorded here");
  const auto sample = channels * 2;
  const auto most = (wav_size_unknown - wav_header_bytes) / sample * sample;
  const auto data = std::min<std::uint64_t>((bytes.size() - wav_header_bytes) / sample * sample, most);
  Repair repair;
  repair.size = wav_header_bytes + data;
  repair.duration = milliseconds(data / sample, rate);
  const auto header =
      wav_header(static_cast<std::uint32_t>(rate), static_cast<int>(channels), static_cast<std::uint32_t>(data));
  if (!std::equal(header.begin(), header.end(), bytes.begin()))
    repair.patches.push_back({0, {header.begin(), header.end()}});
  return repair;
}

/// Of each frame that we write: at 8 and 16 kHz it is MPEG-2.5 or 2.
constexpr std::uint32_t mp3_samples = 576;

Result<Repair> repair_mp3(Span bytes) {
  Repair repair;
  std::uint64_t frames = 0;
  std::uint32_t rate = 0;
  while (repair.size < bytes.size()) {
    const auto frame = audio::Mp3Frame::read(bytes.subspan(repair.size));
    const bool ours = frame && frame->samples == mp3_samples;
    if (!ours || bytes.size() - repair.size < frame->size) break;
    repair.size += frame->size;
    rate = frame->rate;
    ++frames;
  }
  if (frames == 0) return fail("not one whole MP3 frame");
  repair.duration = milliseconds(frames * mp3_samples, rate);
  return repair;
}

constexpr std::size_t ogg_header_bytes = 27;
constexpr std::size_t ogg_flags_at = 5, ogg_granules_at = 6, ogg_serial_at = 14, ogg_segments_at = 26;
constexpr std::uint8_t ogg_last = 0x04;

/// The page as it would be with these flags: header and body.
std::vector<std::uint8_t> page_with(Span page, std::uint8_t flags) {
  std::vector<std::uint8_t> copy(page.begin(), page.end());
  copy[ogg_flags_at] = flags;
  const auto header = static_cast<long>(ogg_header_bytes + copy[ogg_segments_at]);
  ogg_page view{copy.data(), header, copy.data() + header, static_cast<long>(copy.size()) - header};
  ogg_page_checksum_set(&view);
  return copy;
}

/// The page at `at`, if it is whole and its checksum right (RFC 3533 6).
Span ogg_page_at(Span bytes, std::size_t at) {
  const auto rest = bytes.subspan(at);
  if (rest.size() < ogg_header_bytes || !has_text(rest, 0, "OggS") || rest[4] != 0) return {};
  const std::size_t header = ogg_header_bytes + rest[ogg_segments_at];
  if (rest.size() < header) return {};
  std::size_t size = header;
  for (std::size_t segment = ogg_header_bytes; segment < header; ++segment) size += rest[segment];
  if (rest.size() < size) return {};
  const auto page = rest.first(size);
  const auto right = page_with(page, page[ogg_flags_at]);
  return std::equal(page.begin(), page.end(), right.begin()) ? page : Span();
}

Result<Repair> repair_ogg(Span bytes) {
  Repair repair;
  std::uint64_t pages = 0, last_page_at = 0, granules = 0, pre_skip = 0, serial = 0;
  for (;;) {
    const auto page = ogg_page_at(bytes, repair.size);
    if (page.empty()) break;
    const std::size_t body = ogg_header_bytes + page[ogg_segments_at];
    if (pages == 0) {
      if (!has_text(page, body, "OpusHead") || page.size() < body + 19) return fail("not an Opus file");
      pre_skip = little_endian(page, body + 10, 2);
      serial = little_endian(page, ogg_serial_at, 4);
    }
    if (little_endian(page, ogg_serial_at, 4) != serial) break;
    last_page_at = repair.size;
    granules = little_endian(page, ogg_granules_at, 8);
    repair.size += page.size();
    ++pages;
    if ((page[ogg_flags_at] & ogg_last) != 0) break;
  }
  if (pages < 2) return fail("not an Opus file with both its headers");
  if (granules > pre_skip && granules < UINT64_MAX / 1000) repair.duration = milliseconds(granules - pre_skip, 48'000);
  const auto last = bytes.subspan(last_page_at, repair.size - last_page_at);
  if ((last[ogg_flags_at] & ogg_last) == 0)
    repair.patches.push_back({last_page_at, page_with(last, last[ogg_flags_at] | ogg_last)});
  return repair;
}

tl::unexpected<Error> system_error(const std::string& path) {
  return fail(path + ": " + std::strerror(errno));
}

/// A file's bytes, mapped for as long as this lives.
class Mapping {
 public:
  Mapping(int fd, std::size_t size) : size_(size) {
    if (size > 0) address_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  }
  ~Mapping() {
    if (address_ != MAP_FAILED) ::munmap(address_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  bool failed() const { return size_ > 0 && address_ == MAP_FAILED; }
  Span bytes() const {
    return failed() || size_ == 0 ? Span() : Span(static_cast<const std::uint8_t*>(address_), size_);
  }

 private:
  void* address_ = MAP_FAILED;
  std::size_t size_;
};

}  // namespace

Result<Repair> plan_repair(Format format, std::span<const std::uint8_t> bytes) {
  switch (format) {
    case Format::mp3:
      return repair_mp3(bytes);
    case Format::ogg:
      return repair_ogg(bytes);
    case Format::wav:
      break;
  }
  return repair_wav(bytes);
}

Result<Repair> repair_file(Format format, const std::string& path) {
  const media::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) return system_error(path);
  Result<Repair> repair;
  {
    const Mapping mapping(file.get(), static_cast<std::size_t>(facts.st_size));
    if (mapping.failed()) return system_error(path);
    repair = plan_repair(format, mapping.bytes());
  }
  if (!repair) return fail(path + ": " + repair.error().message);
  if (::ftruncate(file.get(), static_cast<off_t>(repair->size)) != 0) return system_error(path);
  for (const auto& patch : repair->patches) {
    const auto written = ::pwrite(file.get(), patch.bytes.data(), patch.bytes.size(), static_cast<off_t>(patch.at));
    if (written != static_cast<ssize_t>(patch.bytes.size())) return system_error(path);
  }
  if (::fsync(file.get()) != 0) return system_error(path);
  return repair;
}

Result<Repair> repair_bytes(Format format, std::vector<std::uint8_t>& bytes) {
  auto repair = plan_repair(format, bytes);
  if (!repair) return repair;
  bytes.resize(repair->size);
  for (const auto& patch : repair->patches)
    std::copy(patch.bytes.begin(), patch.bytes.end(), bytes.begin() + static_cast<std::ptrdiff_t>(patch.at));
  return repair;
}

}  // namespace rw::recording
