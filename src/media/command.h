#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <variant>

#include "media/engine.h"
#include "media/file_descriptor.h"
#include "media/leg.h"

/// What the Engine tells a worker; each is one of the Engine's calls as a value.
namespace rw::media {

struct AddLeg {
  std::unique_ptr<Leg> leg;
  FileDescriptor rtp, rtcp;
  std::uint16_t port = 0;
};
struct Configure {
  LegParameters parameters;
};
struct StartTimeoutWatch {};
struct StopPlay {
  PlayId item = 0;
};
struct StopAll {};
struct Background {
  SoundPtr sound;
  std::chrono::milliseconds pause{0};
};
struct Release {};

struct Command {
  LegId leg = 0;
  std::variant<AddLeg, Configure, StartTimeoutWatch, Play, SendDigits, Echo, StopPlay, StopAll, Background, Release>
      what;
};

}  // namespace rw::media
