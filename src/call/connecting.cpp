#include "call/connecting.h"

#include <utility>

#include "call/fallback.h"
#include "call/joined.h"
#include "call/participant.h"

namespace rw::call {
namespace {

/// A shard answers within microseconds; this only makes sure that the wait has an end.
constexpr std::chrono::seconds patience{5};

}  // namespace

Connecting::Connecting(Services& services, Participant& participant, Order order)
    : services_(services), participant_(participant), order_(std::move(order)), connection_(services.ids.uuid()) {}

void Connecting::begin() {
  if (!participant_.answer()) return;
  if (order_.target == participant_.id()) {
    failed("a participant can't be connected with itself");
    return;
  }
  patience_ = services_.timers.start(services_.now + patience, [this] { failed("the participant did not answer"); });
  held_ = participant_.media().held();
  participant_.send(PartyAddress{any_shard, order_.target},
                    JoinRequest{participant_.facts(), connection_, order_.takes_place});
}

void Connecting::stop(const End* /*end*/) {
  patience_.cancel();
}

bool Connecting::awaits(const Letter& letter) const {
  if (const auto* accepted = std::get_if<JoinAccepted>(&letter.message)) return accepted->connection == connection_;
  // Two that want each other: the request of the one with the lower id counts.
  return letter.from.participant == order_.target && participant_.id() < order_.target;
}

void Connecting::message(const Letter& letter) {
  if (const auto* accepted = std::get_if<JoinAccepted>(&letter.message)) {
    const auto peer = accepted->from.address;
    const bool held = participant_.media().held();
    if (held != held_) participant_.send(peer, HoldChanged{held});
    participant_.change(std::make_unique<Joined>(
        services_, participant_,
        JoinPlan{.place = {Half::Role::calling, accepted->from, connection_}, .recording = order_.recording}));
  } else if (const auto* refused = std::get_if<JoinRefused>(&letter.message);
             refused != nullptr && letter.from.participant == order_.target) {
    failed(refused->why);
  }
}

void Connecting::failed(const std::string& why) {
  participant_.alarm(order_.alarm_type, order_.alarm_error,
                     {{"field", "participantId"}, {"value", order_.target}, {"description", why}});
  without_decision(services_, participant_);
}

}  // namespace rw::call
