#include "app/call_router.h"

#include <utility>

namespace rw::app {
namespace {

call::Verdict refused(const sip::Admission& admission) {
  return {503, "unavailable", "the server takes no more calls now: " + std::string(admission.why),
          admission.retry_after};
}

struct Runner {
  Shard& shard;
  TimePoint now = Clock::now();

  call::Verdict operator()(const api::InterruptIvrCommand& it) const {
    return shard.calls().interrupt_ivr_command(it.subject, it.session_id, now);
  }
  call::Verdict operator()(const api::HangUpParticipant& it) const {
    return shard.calls().hang_up_participant(it.subject, it.participant_id, it.session_id, now);
  }
  call::Verdict operator()(const api::HangUpRemoteParticipant& it) const {
    return shard.calls().hang_up_remote_participant(it.subject, it.participant_id, now);
  }
  call::Verdict operator()(const api::HangUpCall& it) const { return shard.calls().hang_up_call(it.subject, now); }
  call::Verdict operator()(const api::SplitConnection& it) const {
    return shard.calls().split_connection(it.subject, it.connection_id, now);
  }
  call::Verdict operator()(const api::StartRecording& it) const {
    return shard.calls().start_recording(it.subject, it.connection_id, it.file_name, now);
  }
  call::Verdict operator()(const api::StopRecording& it) const {
    return shard.calls().stop_recording(it.subject, it.connection_id, now);
  }
  call::Verdict operator()(const api::AnswerRemoteCall& it) const {
    return shard.calls().answer_remote_call(it.subject, it.audio, it.session_reference, now);
  }
  call::Verdict operator()(const api::SendRemoteCallRingback& it) const {
    return shard.calls().send_remote_call_ringback(it.subject, now);
  }
  call::Verdict operator()(const api::PlaceRemoteCall& it) const {
    if (const auto admission = shard.admit(now); admission.status != 0) return refused(admission);
    return shard.calls().place_remote_call(it.order, now);
  }
  call::Verdict operator()(const api::PlaceIvrCall& it) const {
    if (const auto admission = shard.admit(now); admission.status != 0) return refused(admission);
    return shard.calls().place_ivr_call(it.order, now);
  }
};

/// It begins a call, which any shard may have.
bool begins_a_call(const api::CallCommand& command) {
  return std::holds_alternative<api::PlaceIvrCall>(command) || std::holds_alternative<api::PlaceRemoteCall>(command);
}

}  // namespace

void CallRouter::execute(api::CallCommand command, Done done) {
  // A new call goes to any shard; for one that runs they are asked one after the other.
  const bool fresh = begins_a_call(command);
  ask(fresh ? next_++ % shards_.size() : 0, std::make_shared<const api::CallCommand>(std::move(command)),
      std::move(done));
}

void CallRouter::ask(std::size_t index, std::shared_ptr<const api::CallCommand> command, Done done) const {
  Shard& shard = *shards_[index];
  shard.post([this, index, &shard, command = std::move(command), done = std::move(done)] {
    auto verdict = std::visit(Runner{shard}, *command);
    shard.settle();
    // A session is on the shard of its Call-ID, which the command does not know.
    if (verdict.status == 404 && index + 1 < shards_.size() && !begins_a_call(*command)) {
      ask(index + 1, command, done);
    } else {
      done({verdict.status, std::move(verdict.error), std::move(verdict.reason), verdict.retry_after,
            std::move(verdict.extra)});
    }
  });
}

}  // namespace rw::app
