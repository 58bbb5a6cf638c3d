#include "audio/flac_decoder.h"
#include "audio/ogg_codec.h"

namespace rw::audio {
namespace {

class OggFlacCodec final : public OggCodec {
 public:
  Result<void> packet(ogg_packet& packet, const Page&, Decoded& out) override {
    const std::string_view bytes(reinterpret_cast<const char*>(packet.packet), static_cast<std::size_t>(packet.bytes));
    if (!decoder_) {
      constexpr std::size_t before = 17;  // RFC 9639 10.1: the mapping's header, "fLaC", a block header
      if (bytes.size() < before + FlacFacts::bytes) return cant_decode("a FLAC stream with a broken beginning");
      auto made = FlacDecoder::make(bytes.substr(before, FlacFacts::bytes));
      if (!made) return tl::unexpected(made.error());
      decoder_ = std::move(*made);
      return {};
    }
    if (!bytes.starts_with('\xff')) return {};  // metadata
    begun_ = true;
    const auto used = decoder_->next(bytes, out);
    if (!used) return tl::unexpected(used.error());
    return {};
  }
  bool begun() const override { return begun_; }

 private:
  std::unique_ptr<FlacDecoder> decoder_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<OggCodec> make_ogg_flac_codec() {
  return std::make_unique<OggFlacCodec>();
}

std::unique_ptr<OggCodec> make_ogg_codec(std::string_view first_packet) {
  if (first_packet.starts_with("OpusHead")) return make_opus_codec();
  if (first_packet.starts_with("\x01vorbis")) return make_vorbis_codec();
  if (first_packet.starts_with("\x7f"
                               "FLAC"))
    return make_ogg_flac_codec();
  return nullptr;
}

}  // namespace rw::audio
