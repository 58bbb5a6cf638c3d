#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "media/engine.h"

namespace rw::call {

/// What the call layer asks of the media engine. Commands as in media::Engine; the events come to
/// Switchboard::media_event() on the shard's thread.
class MediaPort {
 public:
  virtual ~MediaPort() = default;
  /// `beside`: on that leg's worker, because the two will be joined; 0: anywhere.
  virtual Result<media::Engine::NewLeg> create(media::LegId beside) = 0;
  virtual void configure(media::LegId leg, media::LegParameters parameters) = 0;
  virtual void start_timeout_watch(media::LegId leg) = 0;
  virtual void expect_confirmation(media::LegId leg, std::chrono::milliseconds time) = 0;
  virtual void confirm(media::LegId leg) = 0;
  virtual void play(media::LegId leg, media::Play item) = 0;
  virtual void send_digits(media::LegId leg, media::SendDigits digits) = 0;
  virtual void echo(media::LegId leg, media::Echo echo) = 0;
  virtual void stop(media::LegId leg, media::PlayId item) = 0;
  virtual void stop_all(media::LegId leg) = 0;
  virtual void background(media::LegId leg, media::SoundPtr sound, std::chrono::milliseconds pause) = 0;
  virtual void join(media::LegId a, media::LegId b) = 0;
  virtual void part(media::LegId leg) = 0;
  virtual void monitor(media::LegId listener, media::LegId a, media::LegId b) = 0;
  virtual void record(media::LegId leg, media::Record record) = 0;
  virtual void stop_recording(media::LegId leg, std::shared_ptr<media::RecordingTap> tap) = 0;
  virtual void watch_silence(media::LegId leg, std::chrono::milliseconds length) = 0;
  virtual void release(media::LegId leg) = 0;
};

}  // namespace rw::call
