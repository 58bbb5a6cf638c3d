#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "call/outcome.h"
#include "call/services.h"

namespace rw::call {

class Participant;
class Session;
struct InboundCall;

/// What a session needs of the switchboard that holds it.
class SessionHolder {
 public:
  virtual ~SessionHolder() = default;
  /// Something of the session waits for its sweep().
  virtual void to_be_swept(Session& session) = 0;
  virtual void session_over(const std::string& session_id) = 0;
};

/// One call session: everything that grew from one inbound call, or one that the API has placed. Owns its participants;
/// ends with the last of them, with one sessionCompleted, whatever ended it.
class Session {
 public:
  /// `inbound`: the call that it grows from; null: the API has placed one.
  Session(Services& services, SessionHolder& holder, std::shared_ptr<const tenant::Mediaservice> service,
          std::string trace_id, std::shared_ptr<const InboundCall> inbound);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::string& id() const { return application_.session_id; }
  const std::string& domain() const { return application_.service->domain; }
  const callbacks::Context& application() const { return application_; }
  const ops::Log& log() const { return log_; }
  const boost::json::value* reference() const { return reference_ ? &*reference_ : nullptr; }
  void set_reference(boost::json::value value);
  /// The call that the session has grown from, or null.
  const InboundCall* inbound() const { return inbound_.get(); }
  /// The Call-ID of the call that the API has placed: for the log. The session is noted as open.
  void set_call_id(const std::string& call_id);

  /// The called number's fallback is in use, or has been: once for each session.
  bool fallen_back() const { return fallen_back_; }
  void set_fallen_back() { fallen_back_ = true; }

  Participant& add(std::unique_ptr<Participant> participant);
  /// The participant of that id, or null.
  Participant* participant(std::string_view id) const;
  const std::vector<std::unique_ptr<Participant>>& participants() const { return participants_; }

  /// The place of its domain's limits that the session takes up, until it ends.
  void hold(CallLimits::Place place) { place_ = std::move(place); }

  /// The finaliser, and the only way out: frees all that the participant holds, and ends the session with the last one.
  /// SIP has been told, or has told us, before. The participant must not be used afterwards, but stays alive until
  /// sweep().
  void finish(Participant& participant, const End& end);
  /// Hangs up every participant.
  void end_all(const End& end, Refusal refusal);
  /// Ends a session that has not come into being: nobody is told.
  void discard();
  /// Destroys the participants that have gone. Never called from inside one of them.
  void sweep() { gone_.clear(); }

  /// Tells of members of the reply to `event` that nobody knows: in the log, and as `warnings` of the next alarm; each
  /// kind once.
  void check_members(std::string_view event, const boost::json::object& reply);
  /// An alarm about this session (section 10). `members` stand beside errorDetails.
  void alarm(std::string_view type, std::string_view error, boost::json::object details,
             boost::json::object members = {});
  /// The members that callbacks about this session have in common.
  boost::json::object callback_members() const;

 private:
  void complete(EndReason reason);
  void log_alarm(std::string_view type, std::string_view error, boost::json::object details) const;
  /// The members of sessionCompleted, but its duration and reason.
  boost::json::object completed_members() const;
  /// Notes what sessionCompleted will say, in case this process doesn't live to say it.
  void note();

  Services& services_;
  SessionHolder& holder_;
  callbacks::Context application_;
  ops::Log log_;
  const std::shared_ptr<const InboundCall> inbound_;
  std::optional<boost::json::value> reference_;
  std::set<std::string> warned_;  ///< kinds of members that have been told
  boost::json::array warnings_;   ///< that no alarm has told
  std::vector<std::unique_ptr<Participant>> participants_;
  std::vector<std::unique_ptr<Participant>> gone_;
  std::optional<EndReason> ending_;  ///< while a participant is being finished: its end may be that of others
  TimePoint begun_;
  CallLimits::Place place_;
  bool fallen_back_ = false;
  Timer limit_;
};

}  // namespace rw::call
