#include "audio/ogg_format.h"

#include <ogg/ogg.h>

#include <algorithm>
#include <cstring>

#include "audio/ogg_codec.h"

namespace rw::audio {
namespace {

constexpr std::size_t step_bytes = 4096;
/// Of one packet. Those that tell about a stream may hold a picture.
constexpr std::size_t longest_packet = 1024UL * 1024, longest_header = 16UL * 1024 * 1024;

class OggFormat final : public FileFormat {
 public:
  explicit OggFormat(ByteQueue& bytes) : bytes_(bytes) { ogg_sync_init(&sync_); }
  ~OggFormat() override {
    if (codec_) ogg_stream_clear(&stream_);
    ogg_sync_clear(&sync_);
  }
  OggFormat(const OggFormat&) = delete;
  OggFormat& operator=(const OggFormat&) = delete;

  Result<Step> step(Decoded& out) override {
    if (codec_) {
      ogg_packet packet;
      const int got = ogg_stream_packetout(&stream_, &packet);
      if (got > 0) {
        auto taken = codec_->packet(packet, page_, out);
        page_.begins = false;
        if (!taken) return tl::unexpected(taken.error());
      }
      if (got != 0) return Step::moved;
    }
    ogg_page page;
    const int found = ogg_sync_pageout(&sync_, &page);
    if (found > 0) {
      if (auto taken = take(page); !taken) return tl::unexpected(taken.error());
    }
    if (found != 0) return Step::moved;
    return fill();
  }

  std::string missing() const override {
    const std::string_view rest(reinterpret_cast<const char*>(sync_.data) + sync_.returned,
                                static_cast<std::size_t>(sync_.fill - sync_.returned));
    if (sync_.data != nullptr && rest.starts_with("OggS")) return "its last page is not whole";
    return open_ ? "its last packet is not whole" : "";
  }

 private:
  Result<Step> fill() {
    const auto part = bytes_.view().substr(0, step_bytes);
    if (part.empty()) return bytes_.ended() && !any_ ? unknown() : Step::starved;
    char* into = ogg_sync_buffer(&sync_, static_cast<long>(part.size()));
    if (into == nullptr) return fail("there is no memory to decode it");
    std::memcpy(into, part.data(), part.size());
    ogg_sync_wrote(&sync_, static_cast<long>(part.size()));
    bytes_.drop(part.size());
    return Step::moved;
  }
  static Result<Step> unknown() { return cant_decode("an Ogg file without Opus, Vorbis or FLAC"); }

  Result<void> take(ogg_page& page) {
    const int serial = ogg_page_serialno(&page);
    if (ogg_page_bos(&page) != 0 && (!codec_ || beyond_beginnings_)) {
      begin_link(page, serial);
    } else if (!codec_ || serial != serial_) {
      return {};  // another stream's
    } else {
      beyond_beginnings_ = true;
    }
    if (!codec_) return {};
    ogg_stream_pagein(&stream_, &page);
    page_ = {ogg_page_granulepos(&page), ogg_page_eos(&page) != 0, true};
    const unsigned segments = page.header[26];
    open_ = segments > 0 && page.header[26 + segments] == 255;
    packet_bytes_ = ogg_page_packets(&page) > 0 ? 0 : packet_bytes_ + static_cast<std::size_t>(page.body_len);
    if (packet_bytes_ > (codec_->begun() ? longest_packet : longest_header))
      return cant_decode("an Ogg packet is too long");
    return {};
  }

  /// All streams of a link begin before anything else of it comes; ours is the first one that is audio.
  void begin_link(const ogg_page& page, int serial) {
    if (codec_) ogg_stream_clear(&stream_);
    codec_ = make_ogg_codec({reinterpret_cast<const char*>(page.body), static_cast<std::size_t>(page.body_len)});
    beyond_beginnings_ = false;
    open_ = false;
    packet_bytes_ = 0;
    serial_ = serial;
    if (!codec_) return;
    any_ = true;
    ogg_stream_init(&stream_, serial);
  }

  ByteQueue& bytes_;
  ogg_sync_state sync_{};
  ogg_stream_state stream_{};  ///< of codec_
  std::unique_ptr<OggCodec> codec_;
  bool any_ = false;  ///< there was audio in a link
  int serial_ = 0;
  OggCodec::Page page_;
  bool beyond_beginnings_ = false;  ///< pages have come that are no first ones
  bool open_ = false;               ///< the last page ends within a packet
  std::size_t packet_bytes_ = 0;    ///< of a packet that no page has ended so far
};

}  // namespace

std::unique_ptr<FileFormat> make_ogg_format(ByteQueue& bytes) {
  return std::make_unique<OggFormat>(bytes);
}

}  // namespace rw::audio
