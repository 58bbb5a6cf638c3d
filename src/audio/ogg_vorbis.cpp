#include <vorbis/codec.h>

#include "audio/ogg_codec.h"

namespace rw::audio {
namespace {

class VorbisCodec final : public OggCodec {
 public:
  VorbisCodec() {
    vorbis_info_init(&info_);
    vorbis_comment_init(&comment_);
  }
  ~VorbisCodec() override {
    if (begun_) {
      vorbis_block_clear(&block_);
      vorbis_dsp_clear(&dsp_);
    }
    vorbis_comment_clear(&comment_);
    vorbis_info_clear(&info_);
  }
  VorbisCodec(const VorbisCodec&) = delete;
  VorbisCodec& operator=(const VorbisCodec&) = delete;

  Result<void> packet(ogg_packet& packet, const Page&, Decoded& out) override {
    if (!begun_) return begin(packet);
    if (vorbis_synthesis(&block_, &packet) != 0 || vorbis_synthesis_blockin(&dsp_, &block_) != 0) return {};
    float** columns = nullptr;
    out.begin(static_cast<std::uint32_t>(info_.rate));
    for (int count = 0; (count = vorbis_synthesis_pcmout(&dsp_, &columns)) > 0;) {
      for (int at = 0; at < count; ++at) {
        float sum = 0;
        for (int channel = 0; channel < info_.channels; ++channel) sum += columns[channel][at];
        out.mono.push_back(sum / static_cast<float>(info_.channels));
      }
      vorbis_synthesis_read(&dsp_, count);
    }
    out.values = out.mono.size() * static_cast<std::size_t>(info_.channels);
    return {};
  }
  bool begun() const override { return begun_; }

 private:
  /// Three packets tell about the stream.
  Result<void> begin(ogg_packet& packet) {
    constexpr const char* broken = "a Vorbis stream with a broken beginning";
    if (vorbis_synthesis_headerin(&info_, &comment_, &packet) != 0) return cant_decode(broken);
    if (auto valid = check_sound(static_cast<std::uint64_t>(info_.rate), static_cast<std::uint64_t>(info_.channels));
        !valid)
      return valid;
    constexpr int headers = 3;
    if (++headers_ < headers) return {};
    if (vorbis_synthesis_init(&dsp_, &info_) != 0) return cant_decode(broken);
    vorbis_block_init(&dsp_, &block_);
    begun_ = true;
    return {};
  }

  vorbis_info info_{};
  vorbis_comment comment_{};
  vorbis_dsp_state dsp_{};
  vorbis_block block_{};
  int headers_ = 0;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<OggCodec> make_vorbis_codec() {
  return std::make_unique<VorbisCodec>();
}

}  // namespace rw::audio
