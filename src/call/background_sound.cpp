#include "call/background_sound.h"

#include <utility>

namespace rw::call {

void BackgroundSound::start(audio::SoundRequest sound, rtp::Codec codec, std::chrono::milliseconds pause,
                            Failed failed) {
  stop();
  sound_ = std::move(sound);
  round_ = std::make_shared<int>(0);
  services_.sounds.load(sound_, codec,
                        [this, pause, failed = std::move(failed),
                         round = std::weak_ptr<int>(round_)](const Result<media::SoundPtr>& ready) {
                          if (round.expired()) return;
                          if (ready) {
                            services_.media.background(leg_, *ready, pause);
                          } else {
                            failed(ready.error().message);
                          }
                        });
}

void BackgroundSound::stop() {
  if (!round_) return;
  round_.reset();
  services_.media.background(leg_, nullptr, std::chrono::milliseconds(0));
}

void BackgroundSound::codec_changed(rtp::Codec codec) {
  // The loader adds the new form to the sound that is being played.
  if (round_) services_.sounds.load(sound_, codec, [](const Result<media::SoundPtr>&) {});
}

}  // namespace rw::call
