#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "call/activity.h"
#include "call/call_event.h"
#include "call/carry_out.h"
#include "call/services.h"

namespace rw::call {

class Participant;

/// The application is asked what is to become of the participant (newCall, callEvent), which meanwhile hears silence,
/// or the ringback that is running. The answer's action is done; without one there is the alarm, and the call ends.
class Deciding final : public Activity {
 public:
  /// newCall, with the whole body of the request.
  Deciding(Services& services, Participant& participant, boost::json::object new_call);
  /// callEvent.
  Deciding(Services& services, Participant& participant, const CallEvent& event);
  ~Deciding() override { stop(nullptr); }

  std::string_view name() const override { return "Deciding"; }
  void begin() override;
  void stop(const End* end) override;
  bool may_be_connected(const PartyAddress& by) const override;

  /// The alarm's words for the two questions (section 10).
  struct Alarms {
    std::string_view event, type, failed, empty, no_action, unknown_action;
  };

 private:
  void decided(const tl::expected<callbacks::Reply, callbacks::Failure>& reply);
  void failed(std::string_view error, boost::json::object details);

  Services& services_;
  Participant& participant_;
  const Alarms& alarms_;
  boost::json::object body_;
  const Question asked_;
  std::optional<callbacks::QuestionId> question_;
};

/// The body of a callEvent about `participant`'s session.
boost::json::object call_event_body(Services& services, const Participant& participant, const CallEvent& event);

}  // namespace rw::call
