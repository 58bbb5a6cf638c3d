#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <variant>

#include "base/time.h"
#include "media/engine.h"
#include "media/file_descriptor.h"
#include "media/leg.h"

/// What the Engine tells a worker; each is one of the Engine's calls as a value.
namespace rw::media {

class Worker;

struct AddLeg {
  std::unique_ptr<Leg> leg;
  FileDescriptor rtp, rtcp;
  std::uint16_t port = 0;
};
struct Configure {
  LegParameters parameters;
};
struct StartTimeoutWatch {};
struct ExpectConfirmation {
  std::chrono::milliseconds time{0};
};
struct Confirm {};
struct StopPlay {
  PlayId item = 0;
};
struct StopAll {};
struct Background {
  SoundPtr sound;
  std::chrono::milliseconds pause{0};
};
/// The leg and `other` hear each other.
struct Join {
  LegId other = 0;
};
struct Part {};
/// The leg hears two others.
struct Monitor {
  LegId a = 0, b = 0;
};
struct StopRecording {
  std::shared_ptr<RecordingTap> tap;
};
struct WatchSilence {
  std::chrono::milliseconds length{0};
};
struct Release {};

// A leg goes from one worker to another: the new one is told to expect it, and holds its commands until then; the old
// one is told to hand it over; it arrives.
struct Expect {};
struct HandOver {
  Worker* to = nullptr;
};
struct Arrive {
  AddLeg leg;
  bool listening = false;  ///< its sockets are open to packets
  TimePoint due;           ///< of its next packet
};

struct Command {
  LegId leg = 0;
  std::variant<AddLeg, Configure, StartTimeoutWatch, ExpectConfirmation, Confirm, Play, SendDigits, Echo, StopPlay,
               StopAll, Background, Join, Part, Monitor, Record, StopRecording, WatchSilence, Release, Expect, HandOver,
               Arrive>
      what;
};

}  // namespace rw::media
