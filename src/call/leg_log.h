#pragma once

#include <string>

#include "call/outcome.h"
#include "ops/log.h"

namespace rw::call {

/// What the log tells of a leg that is placed, so that one line says where a call went and why it did not get there.
struct LegLine {
  std::string participant;  ///< empty: it has not come to one
  std::string domain;
  std::string destination;  ///< the URI that is called
  std::string trunk;        ///< empty: none
  std::string call_id;      ///< of the leg itself; empty: nothing has been sent
};

/// `leg placed`: its INVITE is on its way.
void log_leg_placed(const ops::Log& log, const LegLine& leg);
/// `leg failed`, or `leg cancelled` where that was ours to decide: it has not been answered, or could not be placed.
void log_leg_failed(const ops::Log& log, const LegLine& leg, const End& end);

}  // namespace rw::call
