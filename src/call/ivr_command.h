#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "call/action.h"
#include "call/dtmf_collector.h"
#include "call/phrase.h"

namespace rw::call {

/// What a reply to getIvrCommand tells the IVR to do (section 6 of the behaviour).
struct IvrCommand {
  struct Dtmf {
    bool flush = false;
    DtmfRule rule;
    std::chrono::milliseconds first_timeout{10'000};
    std::optional<DtmfEncryption> encryption;
  };
  struct Background {
    PhraseOrError source;  ///< not used when `stop`
    std::chrono::milliseconds pause{0};
    bool stop = false;
  };
  enum class BargeIn : std::uint8_t { none, current, all };

  Phrases phrases;
  std::optional<Dtmf> dtmf;
  std::optional<Background> background;
  BargeIn barge_in = BargeIn::none;
  bool barge_in_on_digit = false;
  bool hang_up = false;
  std::optional<Action> action;                        ///< leaves the IVR after the phrases; `ivr` stays in it
  bool recorded_callback = false;                      ///< fileRecorded is wanted of `record` phrases
  std::optional<std::chrono::milliseconds> ask_after;  ///< getIVRCommandAfter
  std::optional<boost::json::value> session_reference;
};

/// What an `action` in the reply is measured by.
struct ActionRules {
  const tenant::Domain* domain = nullptr;  ///< says where a device's media may be; null: it is not served any more
  DropCodes drop_codes = {};               ///< the mediaservice's
};

/// The error names the member that can't be used.
Result<IvrCommand> read_ivr_command(const callbacks::Reply& reply, PhraseContext context, const ActionRules& rules);

}  // namespace rw::call
