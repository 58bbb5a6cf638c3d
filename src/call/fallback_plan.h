#pragma once

#include <boost/json/object.hpp>
#include <optional>

#include "base/result.h"
#include "call/call_plan.h"
#include "call/phrase.h"

namespace rw::call {

/// What a caller gets in place of the application's decision: phrases, then somebody else or the end of the call.
struct FallbackPlan {
  Phrases phrases;
  std::optional<CallPlan> call;  ///< nothing: it is hung up
};

/// Reads the `command` of a fallback. The error names the member; a phrase or an address that can't be used is one.
Result<FallbackPlan> read_fallback_command(const boost::json::object& command, const PhraseContext& context);

}  // namespace rw::call
