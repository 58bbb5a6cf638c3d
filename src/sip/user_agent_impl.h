#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/timers.h"
#include "sip/dialog_request.h"
#include "sip/leg.h"
#include "sip/replaces.h"
#include "sip/transactions.h"
#include "sip/uri.h"
#include "sip/user_agent.h"

namespace rw::sip {

/// The works behind UserAgent. Its parts: user_agent.cpp is the façade; requests.cpp takes messages apart and finds
/// what they belong to; dialog_requests.cpp answers what comes inside a dialog; leg_commands.cpp does what the call
/// layer asks for on the server side; outgoing_invite.cpp sends an INVITE where it belongs; invite_responses.cpp
/// follows what comes back; offers.cpp sends re-INVITEs; session_refresh.cpp keeps the session timer; refer.cpp takes
/// REFER and Replaces; outgoing.cpp builds what we send; ways.cpp finds where what is sent in a dialog goes.
class UserAgent::Impl {
 public:
  explicit Impl(UserAgentOptions options);

  // ---- requests.cpp
  void receive(const Flow& flow, std::string_view text, TimePoint now);
  void connection_closed(const Flow& flow);
  /// 400 or 505, if there is enough in it to answer at all.
  void refuse_unreadable(const Flow& flow, std::string_view text, const std::string& why);
  /// Whether anybody is going to look at its body: of what is refused whatever it carries, none is copied.
  bool is_of_interest(const IncomingRequest& request);
  void receive_request(IncomingRequest request);
  /// `leg`: whose dialog it is in, or null.
  void answer_request(Leg* leg, IncomingRequest request, const std::string& transaction);
  /// Answers it, if too many requests have come in its dialog.
  bool is_too_much(Leg& leg, const IncomingRequest& request);
  void receive_ack(IncomingRequest request);
  void receive_cancel(const IncomingRequest& request);
  /// 487 to the INVITE that waits for its final response: the caller has given up, or its time is over.
  void withdraw(Leg& leg, std::string reason);
  void outside_dialog(const IncomingRequest& request, const std::string& transaction);
  /// Answers OPTIONS.
  void tell_abilities(const IncomingRequest& request, const std::string& transaction, int status);
  void new_invite(const IncomingRequest& request, const std::string& transaction);
  /// What is wrong with a request before anybody looks at its meaning: a complete response, or nothing.
  std::optional<Message> objection(const IncomingRequest& request) const;

  // ---- dialog_requests.cpp
  void inside_dialog(Leg& leg, IncomingRequest request, const std::string& transaction);
  void reinvite(Leg& leg, IncomingRequest request, const std::string& transaction);
  void update(Leg& leg, IncomingRequest request, const std::string& transaction);
  void prack(Leg& leg, const IncomingRequest& request, const std::string& transaction);
  /// The early dialog that a request belongs to becomes the leg's own.
  void listen_to(Leg& leg, const std::string& remote_tag);
  void remote_bye(Leg& leg, const IncomingRequest& request, const std::string& transaction);
  bool agree_on_session(Leg& leg, const IncomingRequest& request, const std::string& transaction);

  // ---- leg_commands.cpp
  bool provisional(Leg& leg, int status, std::string sdp, const Headers& headers);
  bool answer(Leg& leg, std::string sdp, const Headers& headers);
  bool reject(Leg& leg, int status, const Headers& headers);
  bool refuse(Leg& leg, int status, const Headers& headers);
  /// 100, if the caller has not had it.
  void say_trying(Leg& leg);
  bool answer_offer(Leg& leg, std::string sdp);
  bool reject_offer(Leg& leg, int status, const Headers& headers);
  /// Sends what has waited for the PRACK.
  void go_on(Leg& leg);
  /// A `cause` other than local_bye ends the leg at once, with the status.
  bool bye(Leg& leg, const std::string& reason, EndCause cause, int status = 0, std::string phrase = {});
  void send_success(Leg& leg, const Pending& pending, std::string sdp, const Headers& headers);
  void retransmit_success(LegId id, TimePoint now);
  void retransmit_reliable(LegId id, TimePoint now);
  void ack_missing(LegId id);
  void end(Leg& leg, EndCause cause, int status = 0, std::string reason = {}, std::string phrase = {});

  // ---- outgoing_invite.cpp
  Result<LegId> invite(OutgoingInvite wanted);
  bool cancel(Leg& leg, const std::string& reason);
  void resolved(std::uint64_t lookup, std::vector<Flow> found);
  /// Goes to the next Request-URI, or ends the leg with its last failure.
  void try_next_target(Leg& leg);
  /// Goes to the next hop of this Request-URI; false if there is none.
  bool try_next_hop(Leg& leg, bool unreachable);
  void send_invite(Leg& leg, const Flow& hop);
  void send_cancel(Leg& leg);
  Message build_invite(Leg& leg, std::string& branch);

  // ---- invite_responses.cpp
  void invite_response(LegId id, const std::shared_ptr<SentInvite>& sent, const Message& response);
  void invite_progress(Leg& leg, const Message& response);
  /// Whether a reliable provisional response is new; acknowledges it (RFC 3262 section 4).
  bool take_reliable(Leg& leg, const Message& response);
  void invite_answered(Leg& leg, const std::shared_ptr<SentInvite>& sent, const Message& response);
  void invite_failed(Leg& leg, const Message& response);
  bool try_again(Leg& leg, const Message& response);
  bool follow_redirect(Leg& leg, const Message& response);
  /// Makes the dialog of a response the leg's own; the early dialog that it was is kept. False: too many of them.
  bool speak_with(Leg& leg, const std::string& remote_tag, const Message& response);
  /// ACK to a 2xx (RFC 3261 13.2.2.4), in its dialog.
  void acknowledge(SentInvite& sent, Dialog& dialog);
  /// The same ACK, to a repeated 2xx with that tag. `leg`: the INVITE's, if it is still there.
  void acknowledge_again(SentInvite& sent, const Leg* leg, const std::string& remote_tag);
  /// A 2xx that nobody waits for any more: ACK and BYE.
  void turn_away(SentInvite& sent, const Message& response);

  // ---- offers.cpp
  bool offer(Leg& leg, std::string sdp);
  void start_offer(Leg& leg, std::string sdp, bool refresh);
  /// Sends the leg's offer, unless something has to be waited for.
  void send_offer(Leg& leg);
  void send_reinvite(Leg& leg, const std::shared_ptr<SentInvite>& sent);
  void reinvite_response(LegId id, const std::shared_ptr<SentInvite>& sent, const Message& response);
  void offer_refused(Leg& leg, Leg::Offer& offer, int status);
  Duration glare_delay(const Leg& leg);

  // ---- session_refresh.cpp
  void watch_session(Leg& leg);
  void refresh_session(LegId id);
  /// A refresh of ours was answered (RFC 4028 7.4, 10).
  void session_refreshed(Leg& leg, const Message& response);
  /// A longer interval, as a 422 wants it; false: it gives no reason for another try.
  static bool lengthen_session(Leg& leg, const Message& response);
  void ask_for_session(Message& request, const Leg& leg) const;

  // ---- refer.cpp
  void receive_refer(Leg& leg, IncomingRequest request, const std::string& transaction);
  bool accept_refer(Leg& leg);
  bool reject_refer(Leg& leg, int status);
  bool notify_refer(Leg& leg, int status);
  void send_notify(Leg& leg, Leg::Subscription& own, int status);
  /// The established leg whose dialog a Replaces value names, or null.
  Leg* replaced_by(const Replaces& replaces);
  /// What an INVITE's Replaces header comes to (RFC 3891 section 3): the leg, or the status that refuses it.
  std::pair<LegId, int> replaced_by(const IncomingRequest& invite);

  // ---- outgoing.cpp
  void respond(const std::string& transaction, const Message& response);
  void respond(const IncomingRequest& request, const std::string& transaction, int status, const Headers& headers = {});
  /// For the log, if the response is a refusal.
  void tell_refused(const IncomingRequest& request, const Message& response) const;
  /// Headers that every response to an INVITE that makes or changes a session has.
  void describe_us(Message& response, const Leg& leg) const;
  /// Our Contact where requests come in by `flow`: `contact` gives user and parameters.
  std::string contact_for(const Flow& flow, Uri contact) const;
  /// A request in the dialog (RFC 3261 12.2.1.1), with a branch of its own.
  Message dialog_request(Dialog& dialog, const std::string& method, std::string& branch);
  std::string new_branch() { return "z9hG4bK" + options.shard_tag + ids.token(20); }
  std::string via_for(const Flow& flow, const std::string& branch) const;

  // ---- ways.cpp
  using WaysFound = std::function<void(std::vector<Flow>)>;
  /// The ways that a request in a dialog may take, best first (RFC 3261 12.2.1.1, 18.1.1): the connection that it has
  /// used, if that lives; else what RFC 3263 makes of its route set or remote target. At once, unless a name has to be
  /// looked up; none: there is no way.
  void find_ways(const Course& course, WaysFound found);
  /// Whether a hop that others have named may be used; `flow`: by which they have come, or port 0.
  bool may_reach(const Flow& hop, const Flow& flow) const;
  /// Those hops that a listener of ours reaches; behind them what was used before.
  std::vector<Flow> usable(const Course& course, const std::vector<Flow>& hops) const;
  void look_up_ways(const std::string& uri, WaysFound found);
  /// False: it was another look-up.
  bool ways_resolved(std::uint64_t lookup, const std::vector<Flow>& hops);
  /// Sends a request in the leg's dialog; a challenge is answered if there are credentials for it. If no way leads to
  /// the other side, the handler gets a 503 that was made here.
  void request_in_dialog(Leg& leg, Message request, const std::string& branch, Transactions::ResponseHandler handler);
  void begin(const std::shared_ptr<DialogRequest>& one);
  void transmit(const std::shared_ptr<DialogRequest>& one);
  void answered(const std::shared_ptr<DialogRequest>& one, const Message& response);
  /// Makes it the next request of its dialog.
  void renew(Leg* leg, DialogRequest& one);
  void renew(Leg* leg, Message& request, std::string& branch);
  /// Makes a challenged request a new one, with new credentials; false if that would be of no use.
  bool authorise_again(LegId id, DigestClient* digest, Message& request, std::string& branch, const Message& response,
                       DigestClient::Tries& tries);
  /// ACK to a 2xx, over the first way.
  void send_ack(const SentAck& ack);
  /// The other side's request shows the way that ours take from now on.
  static void follow(Dialog& dialog, const Flow& flow);
  /// The connection has gone.
  static void lose(Flow& flow);

  void send(const Flow& flow, std::string bytes) { transmits.push_back({flow, std::move(bytes)}); }

  Leg* leg(LegId id);
  Leg* leg_of(const IncomingRequest& request);

  const UserAgentOptions options;
  TransactionTimes times;
  Timers timers;
  Transactions transactions;
  IdSource ids;
  const StatelessTags tags;
  TimePoint now;
  bool draining = false;
  LegId last_leg = 0;
  std::uint64_t last_lookup = 0;
  std::unordered_map<LegId, Leg> legs;
  std::unordered_map<std::string, LegId> by_local_tag;
  std::unordered_map<std::string, LegId>
      by_invite;  ///< transaction of an INVITE that waits for its final response → leg
  std::unordered_map<std::string, LegId> by_caller;  ///< Call-ID and From tag → leg, to see merged requests
  std::unordered_map<std::uint64_t, LegId> by_lookup;
  /// Requests in dialogs that wait until their next hop has been looked up.
  struct WayLookup {
    std::vector<WaysFound> waiting;
    Timer limit;
  };
  std::unordered_map<std::string, WayLookup> way_lookups;  ///< by URI
  std::unordered_map<std::uint64_t, std::string> way_lookup_uris;
  std::vector<std::shared_ptr<DialogRequest>> stranded;  ///< no way leads to where they should go
  Timer stranded_timer;
  /// A request that is answered without a transaction (RFC 3261 8.2.7), while that is being done: by its key.
  struct Stateless {
    std::string transaction;
    Flow reply_to;
  };
  std::optional<Stateless> stateless;
  std::vector<LegId> untold;  ///< legs whose caller has had no 100
  std::vector<Lookup> lookups;
  std::vector<Transmit> transmits;
  std::vector<Event> events;
};

}  // namespace rw::sip
