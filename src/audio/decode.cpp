#include "audio/decode.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

namespace rw::audio {
std::int16_t to_sample(float value) {
  const float bounded = std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
  return static_cast<std::int16_t>(std::lround(bounded * 32767.0F));
}

FileReader::FileReader(const std::string& path, std::chrono::milliseconds most)
    : file_(std::fopen(path.c_str(), "rbe"), &std::fclose), reader_(most) {}

Result<void> FileReader::feed() {
  const auto unreadable = [] { return fail(std::string("the file can't be read: ") + std::strerror(errno)); };
  if (!file_) return unreadable();
  std::array<char, 16384> buffer;
  const auto got = std::fread(buffer.data(), 1, buffer.size(), file_.get());
  if (got == 0 && std::ferror(file_.get()) != 0) return unreadable();
  if (got == 0) reader_.end();
  ended_ = got == 0;
  reader_.feed(std::span(buffer).first(got));
  return {};
}

Result<std::size_t> FileReader::read(std::span<float> room) {
  auto got = begun_ ? reader_.read(room) : Result<std::size_t>(0);
  begun_ = true;
  if (!got || *got > 0) return got;
  over_ = ended_;
  if (over_) return 0;
  if (auto fed = feed(); !fed) return tl::unexpected(fed.error());
  return reader_.read(room);
}

Result<AudioFacts> probe(const std::string& path) {
  FileReader file(path);
  std::array<float, 4096> room;
  while (!file.over()) {
    if (const auto got = file.read(room); !got) return tl::unexpected(got.error());
  }
  return AudioFacts{file.reader().content_type(), file.reader().duration()};
}

Result<std::string> recognise(const std::string& path) {
  FileReader file(path);
  return file.recognise();
}

Result<std::string> FileReader::recognise() {
  while (!ended_ && reader_.content_type().empty()) {
    if (auto fed = feed(); !fed) return tl::unexpected(fed.error());
    if (auto known = reader_.recognise(); !known) return tl::unexpected(known.error());
  }
  return reader_.content_type();
}

}  // namespace rw::audio
