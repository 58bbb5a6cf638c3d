#include "call/background_sound.h"

#include <utility>

namespace rw::call {

void BackgroundSound::start(audio::SoundRequest sound, rtp::Codec codec, std::chrono::milliseconds pause,
                            Failed failed) {
  stop();
  codec_ = codec;
  domain_ = audio::domain_of(sound);
  round_ = std::make_shared<int>(0);
  services_.sounds.load(std::move(sound), codec, round_,
                        [this, pause, failed = std::move(failed),
                         round = std::weak_ptr<int>(round_)](const Result<media::SoundPtr>& ready) {
                          if (round.expired()) return;
                          if (ready) {
                            sound_ = *ready;
                            services_.media.background(leg_, *ready, pause);
                            codec_changed(codec_);
                          } else {
                            failed(ready.error().message);
                          }
                        });
}

void BackgroundSound::stop() {
  if (!round_) return;
  round_.reset();
  sound_.reset();
  services_.media.background(leg_, nullptr, std::chrono::milliseconds(0));
}

void BackgroundSound::codec_changed(rtp::Codec codec) {
  codec_ = codec;
  if (sound_ && sound_->payload(codec) == nullptr) services_.sounds.add_form(sound_, codec, domain_);
}

}  // namespace rw::call
