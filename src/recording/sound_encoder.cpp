#include "recording/sound_encoder.h"

#include "recording/sound_encoders.h"

namespace rw::recording {

Result<std::unique_ptr<SoundEncoder>> make_sound_encoder(Format format, std::uint32_t rate, int channels) {
  if (rate != 8000 && rate != 16000) return fail("a recording at " + std::to_string(rate) + " Hz");
  if (channels != 1 && channels != 2) return fail("a recording of " + std::to_string(channels) + " channels");
  switch (format) {
    case Format::mp3:
      return make_mp3_encoder(rate, channels);
    case Format::ogg:
      return make_ogg_encoder(rate, channels);
    case Format::wav:
      break;
  }
  return make_wav_encoder(rate, channels);
}

}  // namespace rw::recording
