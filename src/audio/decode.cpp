#include "audio/decode.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>

#include "audio/whole_file.h"

namespace rw::audio {
namespace {

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using File = std::unique_ptr<SNDFILE, Close>;

std::string content_type_of(int format) {
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
      return "audio/wav";
    case SF_FORMAT_MPEG:
      return "audio/mpeg";
    case SF_FORMAT_OGG:
      return "audio/ogg";
    case SF_FORMAT_FLAC:
      return "audio/flac";
    default:
      return {};
  }
}

Result<void> check(const File& file, const SF_INFO& info) {
  if (!file) return fail(std::string("not audio that can be decoded: ") + sf_strerror(nullptr));
  if (content_type_of(info.format).empty())
    return fail("not audio that can be decoded: expected WAV, MP3, Ogg or FLAC");
  if (info.samplerate < static_cast<int>(min_rate) || info.samplerate > static_cast<int>(max_rate))
    return fail("not audio that can be decoded: a sample rate of " + std::to_string(info.samplerate) +
                " Hz (expected 4000 to 96000)");
  if (info.channels < 1 || info.channels > max_channels)
    return fail("not audio that can be decoded: " + std::to_string(info.channels) + " channels (expected 1 to 8)");
  return {};
}

/// Hands the file's audio to `take` in pieces, mixed to one channel, until it wants no more. The number of frames.
Result<std::uint64_t> read_through(SNDFILE* file, const SF_INFO& info, std::chrono::milliseconds most,
                                   const std::function<bool(std::span<float>)>& take) {
  constexpr std::size_t piece = 4096;
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> buffer(piece * channels);
  std::vector<float> mixed(piece);
  const auto most_frames =
      static_cast<std::uint64_t>(info.samplerate) * static_cast<std::uint64_t>(most.count()) / 1000;
  std::uint64_t frames = 0;
  for (;;) {
    const auto got = sf_readf_float(file, buffer.data(), static_cast<sf_count_t>(piece));
    if (got <= 0) break;
    frames += static_cast<std::uint64_t>(got);
    if (frames > most_frames) return fail("longer than " + std::to_string(most.count() / 60'000) + " minutes");
    for (std::size_t at = 0; at < static_cast<std::size_t>(got); ++at) {
      float sum = 0;
      for (std::size_t channel = 0; channel < channels; ++channel) sum += buffer[at * channels + channel];
      mixed[at] = sum / static_cast<float>(channels);
    }
    if (!take(std::span(mixed).first(static_cast<std::size_t>(got)))) break;
  }
  if (frames == 0) return fail("contains no audio");
  return frames;
}

Result<Samples> decode(const File& file, const SF_INFO& info, std::chrono::milliseconds most) {
  if (auto valid = check(file, info); !valid) return tl::unexpected(valid.error());
  Samples result;
  result.rate = static_cast<std::uint32_t>(info.samplerate);
  const auto read = read_through(file.get(), info, most, [&result](std::span<const float> piece) {
    for (const float value : piece) {
      const float bounded = std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
      result.samples.push_back(static_cast<std::int16_t>(std::lround(bounded * 32767.0F)));
    }
    return true;
  });
  if (!read) return tl::unexpected(read.error());
  return result;
}

/// Whether a file's end is there, as far as its format tells.
Result<void> check_whole(const std::string& path, const SF_INFO& info, std::uint64_t read) {
  // Of an MP3 the last frames may be incomplete: encoders pad, and some editors cut anywhere.
  constexpr std::uint64_t slack = 2 * 1152;
  constexpr auto unknown = std::numeric_limits<sf_count_t>::max();  // an Ogg page is cut in two
  const auto type = info.format & SF_FORMAT_TYPEMASK;
  if (type == SF_FORMAT_WAV || type == SF_FORMAT_WAVEX) return check_wav_is_whole(path);
  if (info.frames == unknown) return fail("cut off: its end is not there");
  const auto promised = static_cast<std::uint64_t>(std::max<sf_count_t>(info.frames, 0));
  if (read + (type == SF_FORMAT_MPEG ? slack : 0) >= promised) return {};
  return fail("cut off: " + std::to_string(read) + " of " + std::to_string(promised) + " samples are there");
}

/// libsndfile's view of bytes in memory.
struct Memory {
  std::span<const std::uint8_t> bytes;
  sf_count_t at = 0;
};

sf_count_t memory_size(void* user) {
  return static_cast<sf_count_t>(static_cast<Memory*>(user)->bytes.size());
}
sf_count_t memory_tell(void* user) {
  return static_cast<Memory*>(user)->at;
}

sf_count_t memory_seek(sf_count_t offset, int whence, void* user) {
  auto& memory = *static_cast<Memory*>(user);
  const auto size = static_cast<sf_count_t>(memory.bytes.size());
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory.at : size;
  if (offset < -base || offset > size - base) return -1;
  memory.at = base + offset;
  return memory.at;
}

sf_count_t memory_read(void* into, sf_count_t count, void* user) {
  auto& memory = *static_cast<Memory*>(user);
  const auto left = static_cast<sf_count_t>(memory.bytes.size()) - memory.at;
  const auto bytes = std::clamp<sf_count_t>(count, 0, left);
  if (bytes > 0) std::memcpy(into, memory.bytes.data() + memory.at, static_cast<std::size_t>(bytes));
  memory.at += bytes;
  return bytes;
}

}  // namespace

Result<Samples> decode_file(const std::string& path, std::chrono::milliseconds most) {
  SF_INFO info{};
  const File file(sf_open(path.c_str(), SFM_READ, &info));
  return decode(file, info, most);
}

Result<void> decode_in_pieces(const std::string& path, const TakePiece& take, std::chrono::milliseconds most) {
  SF_INFO info{};
  const File file(sf_open(path.c_str(), SFM_READ, &info));
  if (auto valid = check(file, info); !valid) return valid;
  const auto read = read_through(file.get(), info, most, [&](std::span<float> piece) {
    for (float& value : piece) value = std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
    return take(piece, static_cast<std::uint32_t>(info.samplerate));
  });
  if (!read) return tl::unexpected(read.error());
  return {};
}

Result<Samples> decode_memory(std::span<const std::uint8_t> bytes, std::chrono::milliseconds most) {
  Memory memory{bytes};
  SF_VIRTUAL_IO io{memory_size, memory_seek, memory_read, nullptr, memory_tell};
  SF_INFO info{};
  const File file(sf_open_virtual(&io, SFM_READ, &info, &memory));
  return decode(file, info, most);
}

Result<AudioFacts> probe(const std::string& path) {
  SF_INFO info{};
  const File file(sf_open(path.c_str(), SFM_READ, &info));
  if (auto valid = check(file, info); !valid) return tl::unexpected(valid.error());
  const auto frames = read_through(file.get(), info, max_duration, [](std::span<const float>) { return true; });
  if (!frames) return tl::unexpected(frames.error());
  if (auto whole = check_whole(path, info, *frames); !whole) return tl::unexpected(whole.error());
  return AudioFacts{content_type_of(info.format),
                    std::chrono::milliseconds(*frames * 1000 / static_cast<std::uint64_t>(info.samplerate))};
}

Result<std::string> recognise(const std::string& path) {
  SF_INFO info{};
  const File file(sf_open(path.c_str(), SFM_READ, &info));
  if (auto valid = check(file, info); !valid) return tl::unexpected(valid.error());
  return content_type_of(info.format);
}

}  // namespace rw::audio
