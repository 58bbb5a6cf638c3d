#include "audio/mp3_stream.h"

#include <mpg123.h>

#include <array>
#include <string>

#include "audio/decode.h"

namespace rw::audio {
namespace {

class Mp3Stream final : public StreamDecoder::Kind {
 public:
  Mp3Stream() {
    static const int initialised = mpg123_init();
    int error = initialised;
    handle_.reset(mpg123_new(nullptr, &error));
    if (!handle_) return;
    mpg123_param(handle_.get(), MPG123_FLAGS, MPG123_MONO_MIX | MPG123_FORCE_FLOAT | MPG123_QUIET, 0);
    mpg123_param(handle_.get(), MPG123_RESYNC_LIMIT, 64 * 1024, 0);
    if (mpg123_open_feed(handle_.get()) != MPG123_OK) handle_.reset();
  }

  Result<void> feed(std::span<const char> bytes, std::vector<float>& out) override {
    if (!handle_) return fail("the MP3 decoder can't be started");
    if (mpg123_feed(handle_.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != MPG123_OK)
      return refused();
    return decode(out);
  }

  Result<void> finish(std::vector<float>& out) override {
    // What follows the last whole frame is a tag, or nothing.
    return rate_ == 0 ? Result<void>(fail("not audio that can be decoded: no MP3 frame in it")) : decode(out);
  }

  std::uint32_t rate() const override { return rate_; }

 private:
  struct Delete {
    void operator()(mpg123_handle* handle) const { mpg123_delete(handle); }
  };

  Result<void> refused() const {
    return fail(std::string("not audio that can be decoded: ") + mpg123_strerror(handle_.get()));
  }

  Result<void> decode(std::vector<float>& out) {
    std::array<float, 4096> piece;
    for (;;) {
      std::size_t bytes = 0;
      const int state =
          mpg123_read(handle_.get(), reinterpret_cast<unsigned char*>(piece.data()), sizeof piece, &bytes);
      out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(bytes / sizeof(float)));
      if (state == MPG123_NEW_FORMAT) {
        if (auto format = begin(); !format) return format;
      } else if (state == MPG123_NEED_MORE || state == MPG123_DONE) {
        return {};
      } else if (state != MPG123_OK) {
        return refused();
      }
    }
  }

  Result<void> begin() {
    long rate = 0;
    int channels = 0, encoding = 0;
    mpg123_getformat(handle_.get(), &rate, &channels, &encoding);
    if (rate < static_cast<long>(min_rate) || rate > static_cast<long>(max_rate))
      return fail("not audio that can be decoded: a sample rate of " + std::to_string(rate) + " Hz");
    if (rate_ != 0 && rate_ != static_cast<std::uint32_t>(rate)) return fail("its sample rate changes in the middle");
    rate_ = static_cast<std::uint32_t>(rate);
    return {};
  }

  std::unique_ptr<mpg123_handle, Delete> handle_;
  std::uint32_t rate_ = 0;
};

}  // namespace

std::unique_ptr<StreamDecoder::Kind> make_mp3_stream() {
  return std::make_unique<Mp3Stream>();
}

}  // namespace rw::audio
