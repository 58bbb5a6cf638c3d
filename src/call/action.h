#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <variant>

#include "call/call_plan.h"
#include "call/outcome.h"
#include "callbacks/channel.h"
#include "sdp/device.h"
#include "tenant/directory.h"

/// What the application decides about a participant: the replies to newCall and callEvent, and `action` in those to
/// getIvrCommand.
namespace rw::call {

struct DropAction {
  Refusal refusal;
};
struct IvrAction {
  std::optional<RecordingWish> recording;
};
struct ConnectAction {
  std::string participant_id;
  std::optional<RecordingWish> recording;
};
/// `httpcall`: joined with a REST device.
struct HttpCallAction {
  sdp::DeviceAudio device;
  std::optional<RecordingWish> recording;
};
using Action = std::variant<DropAction, IvrAction, ConnectAction, HttpCallAction, CallPlan>;

/// Why a reply is no decision, in the words of section 10.
struct NoDecision {
  enum class Kind : std::uint8_t {
    failed,     ///< no usable answer: none came, or a member can't be used
    empty,      ///< the body was empty
    no_action,  ///< no `action`
    unknown_action
  };
  Kind kind = Kind::failed;
  boost::json::object details;  ///< errorDetails
};

/// Reads an answer to newCall or callEvent. `domain`: says where a device's media may be; null: it is not served any
/// more. `drop_codes`: the mediaservice's.
tl::expected<Action, NoDecision> read_action(const tl::expected<callbacks::Reply, callbacks::Failure>& reply,
                                             const PhraseContext& context, const tenant::Domain* domain,
                                             const DropCodes& drop_codes = {});

/// The same of a reply that has come.
tl::expected<Action, NoDecision> read_action(const callbacks::Reply& reply, const PhraseContext& context,
                                             const tenant::Domain* domain, const DropCodes& drop_codes = {});

/// errorDetails of a request that got no usable answer.
boost::json::object details_of(const callbacks::Failure& failure);

}  // namespace rw::call
