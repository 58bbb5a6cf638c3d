#include "audio/decode.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

namespace rw::audio {
namespace {

/// A file that is fed to a reader.
class Source {
 public:
  explicit Source(const std::string& path) : file_(std::fopen(path.c_str(), "rbe"), &std::fclose) {}

  /// The next bytes, or the end of them.
  Result<void> feed(AudioReader& reader) {
    if (!file_) return unreadable();
    const auto got = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    if (got == 0 && std::ferror(file_.get()) != 0) return unreadable();
    if (got == 0) reader.end();
    over_ = got == 0;
    reader.feed(std::span(buffer_).first(got));
    return {};
  }
  bool over() const { return over_; }

 private:
  static Result<void> unreadable() { return fail(std::string("the file can't be read: ") + std::strerror(errno)); }

  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::array<char, 16384> buffer_{};
  bool over_ = false;
};

Result<void> read_through(const std::string& path, AudioReader& reader, const TakePiece& take) {
  Source source(path);
  std::array<float, 4096> room;
  while (!source.over()) {
    if (auto fed = source.feed(reader); !fed) return fed;
    for (;;) {
      const auto got = reader.read(room);
      if (!got) return tl::unexpected(got.error());
      if (*got == 0) break;
      if (!take(std::span(room).first(*got), reader.rate())) return {};
    }
  }
  return {};
}

}  // namespace

std::int16_t to_sample(float value) {
  const float bounded = std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
  return static_cast<std::int16_t>(std::lround(bounded * 32767.0F));
}

Result<void> decode_in_pieces(const std::string& path, const TakePiece& take, std::chrono::milliseconds most) {
  AudioReader reader(most);
  return read_through(path, reader, take);
}

Result<AudioFacts> probe(const std::string& path) {
  AudioReader reader;
  const auto read = read_through(path, reader, [](std::span<const float>, std::uint32_t) { return true; });
  if (!read) return tl::unexpected(read.error());
  return AudioFacts{reader.content_type(), reader.duration()};
}

Result<std::string> recognise(const std::string& path) {
  Source source(path);
  AudioReader reader;
  while (!source.over() && reader.content_type().empty()) {
    if (auto fed = source.feed(reader); !fed) return tl::unexpected(fed.error());
    if (auto known = reader.recognise(); !known) return tl::unexpected(known.error());
  }
  return reader.content_type();
}

}  // namespace rw::audio
