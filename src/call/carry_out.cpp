#include "call/carry_out.h"

#include <memory>
#include <utility>

#include "call/connecting.h"
#include "call/direct.h"
#include "call/fallback.h"
#include "call/hunt.h"
#include "call/participant.h"

namespace rw::call {
namespace {

struct Doer {
  void operator()(const DropAction& drop) const {
    participant.hang_up(End{question.reason_if_dropped, 0, {}, {}}, drop.refusal);
  }

  void operator()(const IvrAction& ivr) const { participant.enter_ivr(ivr.recording); }

  void operator()(const ConnectAction& connect) const {
    const bool takes_place = !question.replaces.empty() && connect.participant_id == question.replaces;
    participant.change(
        std::make_unique<Connecting>(services, participant,
                                     Connecting::Order{connect.participant_id, takes_place, question.alarm_type,
                                                       question.alarm_error, connect.recording}));
  }

  void operator()(const HttpCallAction& call) const {
    if (participant.is_device()) {
      participant.alarm(question.alarm_type, question.alarm_error,
                        {{"field", "action"}, {"description", "action: a device can't be joined with a device"}});
      without_decision(services, participant);
      return;
    }
    auto& session = participant.session();
    auto& device = session.add(
        std::make_unique<Participant>(services, session, participant.remote_user(), participant.user(), call.device));
    const auto connection = services.ids.uuid();
    device.change(std::make_unique<DeviceHalf>(services, device,
                                               Half::Place{Half::Role::called, participant.facts(), connection}));
    participant.change(std::make_unique<Direct>(services, participant,
                                                Half::Place{Half::Role::calling, device.facts(), connection},
                                                call.device, call.recording));
  }

  void operator()(const CallPlan& plan) const {
    if (!plan.unusable.empty()) {
      const auto& [field, address] = plan.unusable.front();
      boost::json::object details{{"field", field}, {"address", address}};
      if (plan.unusable.size() > 1) details["count"] = plan.unusable.size();
      participant.alarm(question.alarm_type, "Invalid sip address: " + address, std::move(details));
    }
    if (plan.destinations.empty()) {
      without_decision(services, participant);
    } else {
      participant.change(std::make_unique<Hunt>(services, participant, plan));
    }
  }

  Services& services;
  Participant& participant;
  const Question& question;
};

}  // namespace

void carry_out(Services& services, Participant& participant, const Action& action, const Question& question) {
  std::visit(Doer{services, participant, question}, action);
}

}  // namespace rw::call
