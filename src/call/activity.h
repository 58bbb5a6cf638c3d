#pragma once

#include <string_view>

#include "media/engine.h"

namespace rw::call {

/// What a participant is in at any time: exactly one. Inputs that an activity has no use for are none of its business.
class Activity {
 public:
  virtual ~Activity() = default;
  virtual std::string_view name() const = 0;
  virtual void digit_pressed(char) {}
  virtual void play_ended(media::PlayId) {}
  virtual void codec_changed() {}
};

}  // namespace rw::call
