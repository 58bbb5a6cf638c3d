#pragma once

#include "call/recording.h"

namespace rw::app {

class NoRecordings final : public call::RecordingPort {
 public:
  Result<call::OpenRecording> start(call::RecordingOrder) override { return fail("recordings are not available yet"); }
};

}  // namespace rw::app
