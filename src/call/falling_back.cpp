#include "call/falling_back.h"

#include <utility>

#include "call/hunt.h"
#include "call/participant.h"

namespace rw::call {

FallingBack::FallingBack(Services& services, Participant& caller, FallbackCommand command, EndReason reason)
    : services_(services), caller_(caller), command_(std::move(command)), reason_(reason) {}

void FallingBack::begin() {
  if (command_.phrases.empty()) {
    act();
    return;
  }
  caller_.stop_ringback();
  caller_.answer();  // confirmed() follows
}

void FallingBack::confirmed() {
  if (player_ || command_.phrases.empty()) return;
  PhrasePlayer::Listener& listener = *this;
  player_.emplace(services_, caller_.media_leg(), listener);
  player_->start(std::move(command_.phrases), caller_.codec());
}

void FallingBack::stop(const End* /*end*/) {
  if (player_) player_->stop();
}

void FallingBack::play_ended(media::PlayId play) {
  if (player_) player_->play_ended(play);
}

void FallingBack::codec_changed() {
  if (player_) player_->codec_changed(caller_.codec());
}

void FallingBack::act() {
  if (command_.call) {
    caller_.change(std::make_unique<Hunt>(services_, caller_, std::move(*command_.call)));
  } else {
    caller_.hang_up(reason_);
  }
}

void FallingBack::phrases_failed(const PhraseFailure& failure) {
  caller_.alarm("ivrCommandError", failure.error(), failure.details("ivrfallback"));
}

RecordingOrder FallingBack::recording_of(const RecordPhrase& phrase) {
  return caller_.file_recording(phrase.file_name, false);
}

}  // namespace rw::call
