#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "call/admission_control.h"
#include "call/participant.h"
#include "call/services.h"
#include "call/session.h"

namespace rw::call {

/// What became of a command of the API: 200, or the error's status, stable code and sentence.
struct Verdict {
  int status = 200;
  std::string error;
  std::string reason;
};

/// All calls of one shard: brings SIP events, media events and the API's commands to the sessions they are for, and
/// creates and destroys the sessions. Without I/O; lives on the shard's thread.
class Switchboard final : private SessionHolder {
 public:
  using DirectorySource = std::function<std::shared_ptr<const tenant::Directory>()>;
  Switchboard(Services& services, DirectorySource directory);
  ~Switchboard() override;

  // ---- input
  void sip_event(const sip::Event& event, TimePoint now);
  void media_event(const media::Event& event, TimePoint now);
  /// Fires the timers that are due.
  void advance(TimePoint now);
  /// Runs an answer that the calls were waiting for (from the application, from the sound loader) as an input.
  void run(const std::function<void()>& answer, TimePoint now);
  std::optional<TimePoint> next_timer() const { return services_.timers.next(); }

  // ---- commands
  Verdict interrupt_ivr_command(const ReplySubject& subject, const std::string& session_id, TimePoint now);
  Verdict hang_up_participant(const ReplySubject& subject, const std::string& participant_id,
                              const std::string& session_id, TimePoint now);
  /// Ends every session, because the server stops.
  void end_all(TimePoint now);

  std::size_t sessions() const { return sessions_.size(); }
  std::size_t participants() const { return by_sip_leg_.size(); }

 private:
  void participant_gone(const Participant& participant) override;
  void session_over(const std::string& session_id) override;

  void dispatch(const sip::Event& event);
  void new_call(const sip::IncomingInvite& invite);
  void refuse(sip::LegId leg, int status, std::string_view why, const InboundCall& call);
  Session* session(std::string_view id) const;
  void sweep();

  Services& services_;
  DirectorySource directory_;
  std::unordered_map<std::string, std::unique_ptr<Session>> sessions_;
  std::unordered_map<sip::LegId, Participant*> by_sip_leg_;
  std::vector<std::unique_ptr<Session>> over_;  ///< until nothing of them is on the stack
  std::vector<Session*> touched_;
};

}  // namespace rw::call
