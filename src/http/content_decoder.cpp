#include "http/content_decoder.h"

#define ZLIB_CONST  // zlib.h: next_in points to const
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "base/ascii.h"

namespace rw::http {

/// zlib's stream, which holds a window of 32 KB.
class ContentDecoder::Inflater {
 public:
  Inflater() {
    constexpr int gzip_or_zlib = 32;
    if (inflateInit2(&stream_, MAX_WBITS + gzip_or_zlib) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Result<Done> decode(std::span<const char> input, std::span<char> room) {
    const auto bytes = [](std::size_t size) {
      return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
    };
    if (over_) return Done{input.size(), 0};  // padding
    stream_.next_in = reinterpret_cast<const Bytef*>(input.data());
    stream_.avail_in = bytes(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = bytes(room.size());
    const uInt in = stream_.avail_in, out = stream_.avail_out;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    over_ = result == Z_STREAM_END;
    // Z_BUF_ERROR: nothing could be done with what there is.
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      return fail("its Content-Encoding is broken");
    return Done{in - stream_.avail_in, out - stream_.avail_out};
  }

 private:
  z_stream stream_{};
  bool over_ = false;
};

ContentDecoder::ContentDecoder(std::unique_ptr<Inflater> inflater) : inflater_(std::move(inflater)) {}
ContentDecoder::ContentDecoder(ContentDecoder&&) noexcept = default;
ContentDecoder& ContentDecoder::operator=(ContentDecoder&&) noexcept = default;
ContentDecoder::~ContentDecoder() = default;

Result<ContentDecoder> ContentDecoder::make(std::string_view encoding) {
  const auto name = lower_case(encoding);
  if (name.empty() || name == "identity") return ContentDecoder(nullptr);
  if (name == "gzip" || name == "x-gzip" || name == "deflate") return ContentDecoder(std::make_unique<Inflater>());
  return fail("its Content-Encoding is neither gzip nor deflate");
}

Result<ContentDecoder::Done> ContentDecoder::decode(std::span<const char> input, std::span<char> room) {
  if (inflater_) return inflater_->decode(input, room);
  const std::size_t size = std::min(input.size(), room.size());
  std::ranges::copy(input.first(size), room.begin());
  return Done{size, size};
}

}  // namespace rw::http
