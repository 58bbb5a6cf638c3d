#pragma once

#include "recording/sound_encoder.h"

/// One for each format; see make_sound_encoder().
namespace rw::recording {

std::unique_ptr<SoundEncoder> make_wav_encoder(std::uint32_t rate, int channels);
Result<std::unique_ptr<SoundEncoder>> make_mp3_encoder(std::uint32_t rate, int channels);
Result<std::unique_ptr<SoundEncoder>> make_ogg_encoder(std::uint32_t rate, int channels);

}  // namespace rw::recording
