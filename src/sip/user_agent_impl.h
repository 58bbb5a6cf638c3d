#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/timers.h"
#include "sip/leg.h"
#include "sip/transactions.h"
#include "sip/user_agent.h"

namespace rw::sip {

/// The works behind UserAgent. Its parts: user_agent.cpp takes messages apart and finds what they belong to;
/// dialog_requests.cpp answers what comes inside a dialog; leg_commands.cpp does what the call layer asks for;
/// outgoing.cpp builds what we send.
class UserAgent::Impl {
 public:
  explicit Impl(UserAgentOptions options);

  // ---- user_agent.cpp
  void receive(const Flow& flow, std::string_view text, TimePoint now);
  void connection_closed(const Flow& flow);
  void receive_request(IncomingRequest request);
  /// A repeated 2xx to a re-INVITE of ours.
  void repeat_ack(const Message& response);
  void receive_ack(const IncomingRequest& request);
  void receive_cancel(const IncomingRequest& request);
  void outside_dialog(IncomingRequest request, const std::string& transaction);
  void new_invite(IncomingRequest request, const std::string& transaction);
  /// What is wrong with a request before anybody looks at its meaning: a complete response, or nothing.
  std::optional<Message> objection(const IncomingRequest& request) const;

  // ---- dialog_requests.cpp
  void inside_dialog(Leg& leg, IncomingRequest request, const std::string& transaction);
  void reinvite(Leg& leg, IncomingRequest request, const std::string& transaction);
  void update(Leg& leg, IncomingRequest request, const std::string& transaction);
  void prack(Leg& leg, const IncomingRequest& request, const std::string& transaction);
  void remote_bye(Leg& leg, const IncomingRequest& request, const std::string& transaction);
  bool agree_on_session(Leg& leg, const IncomingRequest& request, const std::string& transaction);

  // ---- leg_commands.cpp
  bool provisional(Leg& leg, int status, std::string sdp, const Headers& headers);
  bool answer(Leg& leg, std::string sdp, const Headers& headers);
  bool reject(Leg& leg, int status, const Headers& headers);
  bool answer_offer(Leg& leg, std::string sdp);
  bool reject_offer(Leg& leg, int status);
  bool bye(Leg& leg, const std::string& reason, EndCause cause);
  void send_success(Leg& leg, const Pending& pending, std::string sdp, const Headers& headers);
  void retransmit_success(LegId id, TimePoint now);
  void retransmit_reliable(LegId id, TimePoint now);
  void ack_missing(LegId id);
  void end(Leg& leg, EndCause cause, int status = 0, std::string reason = {});
  void watch_session(Leg& leg);
  void refresh_session(LegId id);

  // ---- outgoing.cpp
  void respond(const std::string& transaction, const Message& response);
  void respond(const IncomingRequest& request, const std::string& transaction, int status, const Headers& headers = {});
  /// Headers that every response to an INVITE that makes or changes a session has.
  void describe_us(Message& response, const Leg& leg) const;
  std::string contact_for(const Flow& flow, const std::string& user) const;
  /// A request in the leg's dialog (RFC 3261 12.2.1.1), with a branch of its own.
  Message dialog_request(Leg& leg, const std::string& method, std::string& branch);
  Flow next_hop(const Leg& leg) const;
  void send(const Flow& flow, std::string bytes) { transmits.push_back({flow, std::move(bytes)}); }

  Leg* leg(LegId id);
  Leg* leg_of(const IncomingRequest& request);

  const UserAgentOptions options;
  TransactionTimes times;
  Timers timers;
  Transactions transactions;
  IdSource ids;
  TimePoint now;
  bool draining = false;
  LegId last_leg = 0;
  std::unordered_map<LegId, Leg> legs;
  std::unordered_map<std::string, LegId> by_local_tag;
  std::unordered_map<std::string, LegId>
      by_invite;  ///< transaction of an INVITE that waits for its final response → leg
  std::unordered_map<std::string, LegId> by_caller;  ///< Call-ID and From tag → leg, to see merged requests
  std::vector<Transmit> transmits;
  std::vector<Event> events;
};

}  // namespace rw::sip
