#include <lame.h>

#include "recording/sound_encoders.h"

namespace rw::recording {
namespace {

constexpr int kbits_per_channel = 32;
/// From 0, the best and slowest, to 9. Speech does not gain by more.
constexpr int quality = 7;

struct LameClose {
  void operator()(lame_global_flags* state) const { lame_close(state); }
};

class Mp3Encoder final : public SoundEncoder {
 public:
  Mp3Encoder(std::unique_ptr<lame_global_flags, LameClose> state, int channels)
      : state_(std::move(state)), channels_(static_cast<std::size_t>(channels)) {}

  void begin(Bytes&) override {}
  void add(std::span<const std::int16_t> samples, Bytes& out) override {
    const auto count = samples.size() / channels_;
    const auto before = room_in(out, count + count / 4 + 7200);  // the bound that lame.h names
    // It asks for pointers to what may be changed, but changes nothing.
    auto* const from = const_cast<std::int16_t*>(samples.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    const int room = static_cast<int>(out.size() - before);
    const int written =
        channels_ == 2
            ? lame_encode_buffer_interleaved(state_.get(), from, static_cast<int>(count), out.data() + before, room)
            : lame_encode_buffer(state_.get(), from, from, static_cast<int>(count), out.data() + before, room);
    out.resize(before + static_cast<std::size_t>(written > 0 ? written : 0));
  }
  void finish(Bytes& out) override {
    const auto before = room_in(out, 7200);
    const int written = lame_encode_flush(state_.get(), out.data() + before, static_cast<int>(out.size() - before));
    out.resize(before + static_cast<std::size_t>(written > 0 ? written : 0));
  }

 private:
  static std::size_t room_in(Bytes& out, std::size_t room) {
    const auto before = out.size();
    out.resize(before + room);
    return before;
  }

  std::unique_ptr<lame_global_flags, LameClose> state_;
  const std::size_t channels_;
};

void be_silent(const char* /*format*/, va_list /*arguments*/) {}

}  // namespace

Result<std::unique_ptr<SoundEncoder>> make_mp3_encoder(std::uint32_t rate, int channels) {
  std::unique_ptr<lame_global_flags, LameClose> state(lame_init());
  if (!state) return fail("MP3: out of memory");
  auto* const flags = state.get();
  lame_set_errorf(flags, be_silent);
  lame_set_msgf(flags, be_silent);
  lame_set_debugf(flags, be_silent);
  lame_set_num_channels(flags, channels);
  lame_set_in_samplerate(flags, static_cast<int>(rate));
  lame_set_out_samplerate(flags, static_cast<int>(rate));
  lame_set_mode(flags, channels == 2 ? STEREO : MONO);
  lame_set_quality(flags, quality);
  lame_set_VBR(flags, vbr_off);
  lame_set_brate(flags, kbits_per_channel * channels);
  lame_set_bWriteVbrTag(flags, 0);
  lame_set_disable_reservoir(flags, 1);
  lame_set_write_id3tag_automatic(flags, 0);
  if (lame_init_params(flags) < 0) return fail("MP3: these parameters are not possible");
  return std::make_unique<Mp3Encoder>(std::move(state), channels);
}

}  // namespace rw::recording
