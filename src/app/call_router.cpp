#include "app/call_router.h"

#include <utility>

namespace rw::app {
namespace {

call::Verdict run(call::Switchboard& calls, const api::CallCommand& command) {
  const auto now = Clock::now();
  if (const auto* interrupt = std::get_if<api::InterruptIvrCommand>(&command)) {
    return calls.interrupt_ivr_command(interrupt->subject, interrupt->session_id, now);
  }
  const auto& hang_up = std::get<api::HangUpParticipant>(command);
  return calls.hang_up_participant(hang_up.subject, hang_up.participant_id, hang_up.session_id, now);
}

}  // namespace

void CallRouter::execute(api::CallCommand command, Done done) {
  ask(0, std::make_shared<const api::CallCommand>(std::move(command)), std::move(done));
}

void CallRouter::ask(std::size_t index, std::shared_ptr<const api::CallCommand> command, Done done) const {
  Shard& shard = *shards_[index];
  shard.post([this, index, &shard, command = std::move(command), done = std::move(done)] {
    auto verdict = run(shard.calls(), *command);
    shard.settle();
    // A session is on the shard of its Call-ID, which the command does not know.
    if (verdict.status == 404 && index + 1 < shards_.size()) {
      ask(index + 1, command, done);
    } else {
      done({verdict.status, std::move(verdict.error), std::move(verdict.reason), {}});
    }
  });
}

}  // namespace rw::app
