#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "call/admission_control.h"
#include "call/call_plan.h"
#include "call/loop_check.h"
#include "call/participant.h"
#include "call/remote_call_order.h"
#include "call/services.h"
#include "call/session.h"
#include "ops/line_limit.h"

namespace rw::call {

/// What became of a command of the API: 200, or the error's status, stable code and sentence.
struct Verdict {
  int status = 200;
  std::string error;
  std::string reason;
  int retry_after = 0;             ///< seconds, for 429 and 503; 0: the usual ones
  boost::json::object extra = {};  ///< members of a success beside `success`
};

/// All calls of one shard: brings SIP events, media events and the API's commands to the sessions they are for, and
/// creates and destroys the sessions. Without I/O; lives on the shard's thread.
class Switchboard final : private SessionHolder {
 public:
  explicit Switchboard(Services& services);
  ~Switchboard() override;

  // ---- input
  void sip_event(const sip::Event& event, TimePoint now);
  void media_event(const media::Event& event, TimePoint now);
  /// From another shard.
  void receive(Letter letter, TimePoint now);
  /// Fires the timers that are due.
  void advance(TimePoint now);
  /// Runs an answer that the calls were waiting for (from the application, from the sound loader) as an input.
  void run(const std::function<void()>& answer, TimePoint now);
  std::optional<TimePoint> next_timer() const { return services_.timers.next(); }

  // ---- commands
  Verdict interrupt_ivr_command(const ReplySubject& subject, const std::string& session_id, TimePoint now);
  Verdict hang_up_participant(const ReplySubject& subject, const std::string& participant_id,
                              const std::string& session_id, TimePoint now);
  Verdict hang_up_remote_participant(const ReplySubject& subject, const std::string& participant_id, TimePoint now);
  /// Ends the whole session of `subject`.
  Verdict hang_up_call(const ReplySubject& subject, TimePoint now);
  /// `connection_id`: as given in the body; empty: the subject's.
  Verdict split_connection(const ReplySubject& subject, const std::string& connection_id, TimePoint now);
  /// startrecording, stoprecording: the same way.
  Verdict start_recording(const ReplySubject& subject, const std::string& connection_id, const std::string& file_name,
                          TimePoint now);
  Verdict stop_recording(const ReplySubject& subject, const std::string& connection_id, TimePoint now);
  Verdict place_ivr_call(const PlacedCallOrder& order, TimePoint now);
  /// Answers a call for a device with its media. `reference`: replaces the session's.
  Verdict answer_remote_call(const ReplySubject& subject, const sdp::DeviceAudio& audio,
                             const std::optional<boost::json::value>& reference, TimePoint now);
  Verdict send_remote_call_ringback(const ReplySubject& subject, TimePoint now);
  Verdict place_remote_call(const RemoteCallOrder& order, TimePoint now);
  /// Ends every session, because the server stops.
  void end_all(TimePoint now);

  /// Whether an INVITE may name this leg in its Replaces header: only one for the domain that the leg belongs to.
  bool may_replace(sip::LegId leg, const sip::Message& invite, const sip::Flow& flow) const;

  std::size_t sessions() const { return sessions_.size(); }
  std::size_t participants() const { return services_.participants.size(); }

 private:
  void to_be_swept(Session& session) override;
  void session_over(const std::string& session_id) override;

  void dispatch(const sip::Event& event);
  void new_call(const sip::IncomingInvite& invite);
  void refuse(sip::LegId leg, int status, std::string_view why, const InboundCall& call, int retry_after = 0);
  void leg_of_nobody(const sip::Event& event);
  void deliver(Letter letter);
  void return_to_sender(const Letter& letter);
  Session* session(std::string_view id) const;
  tl::expected<std::vector<Participant*>, Verdict> parties(const ReplySubject& subject,
                                                           const std::string& connection_id) const;
  tl::expected<Participant*, Verdict> participant(const ReplySubject& subject, const std::string& participant_id) const;
  Participant* party_of_ivr(const ReplySubject& subject, const std::string& ivr) const;
  tl::expected<Participant*, Verdict> alerting(const ReplySubject& subject) const;
  boost::json::object placed_members(const Participant& participant) const;
  /// The places that a call takes.
  struct Places {
    CallLimits::Place of_domain, of_trunk;
  };
  /// For a call that has come in, by the trunk or, with null, from anybody. The nearest limit decides first, so that
  /// who is refused takes nothing from others.
  tl::expected<Places, CallLimits::Full> enter(const tenant::Domain& domain, const tenant::Trunk* trunk,
                                               const net::Address& from);
  /// The domain's, then the server's. `source`: empty: one that is known.
  tl::expected<CallLimits::Place, CallLimits::Full> enter(const tenant::Domain& domain, const std::string& source);
  static Verdict refused(const CallLimits::Full& full);
  Session& open(std::unique_ptr<Session> session);
  /// After each input: delivers the letters, then destroys what is over.
  void settle();

  Services& services_;
  const LoopCheck loops_;
  ops::LineLimit refusals_;
  std::unordered_map<std::string, std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> over_;  ///< until nothing of them is on the stack
  std::vector<Session*> touched_;
};

}  // namespace rw::call
