#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "sip/flow.h"
#include "sip/message.h"

/// The SIP user agent of one shard: transactions, dialogs and INVITE usages, without I/O. Messages, timers and commands
/// go in together with the time; datagrams to send and events for the call layer come out, as plain values, in the
/// order in which they happened. Not thread-safe: one thread owns it.
namespace rw::sip {

/// One INVITE usage: a call leg as SIP sees it. Never reused within a process.
using LegId = std::uint64_t;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Username and password for a realm (RFC 3261 section 22, RFC 8760).
struct Credentials {
  std::string realm;  ///< they are given to nobody else; empty: to whoever asks
  std::string username;
  std::string password;
};

/// An INVITE of ours, as the call layer wants it; the offer is always in it.
struct OutgoingInvite {
  std::string target;        ///< Request-URI: sip: or sips:; tel: only with a route
  std::string from;          ///< name-addr without a tag
  std::string to;            ///< name-addr without a tag
  std::string contact_user;  ///< user part of our Contact, with its user parameters, escaped
  std::vector<std::pair<std::string, std::string>> contact_parameters;  ///< URI parameters of our Contact
  std::vector<std::string> routes;                                      ///< preset route set, e.g. an outbound proxy
  std::string sdp;                                                      ///< our offer
  Headers headers;                                                      ///< whatever else it has to carry
  std::vector<Credentials> credentials;
  bool follow_redirects = false;
  int max_forwards = 70;
};

/// An INVITE that opens a call. 100 Trying goes out with the next take_transmits(). Answer with provisional(), answer()
/// or reject(); or at once with refuse().
struct IncomingInvite {
  LegId leg = 0;
  std::shared_ptr<const Message> request;
  Flow flow;
  LegId replaces = 0;   ///< the leg that its Replaces header names (RFC 3891), or 0
  std::string sdp;      ///< the offer; empty: a late one
  std::string ignored;  ///< types of body parts that were left aside
};
/// 101–199 came to our INVITE. `sdp`: early media, or empty. A reliable one has been acknowledged. After a fork, that
/// of whichever branch spoke last.
struct Progress {
  LegId leg = 0;
  int status = 0;
  std::string sdp;
  std::shared_ptr<const Message> response;
};
/// Our INVITE was answered, and we have acknowledged that. `sdp`: the answer; empty: the one of a reliable provisional
/// response stands. Answers of further branches of a fork are acknowledged and ended by the user agent.
struct Answered {
  LegId leg = 0;
  std::string sdp;
  std::shared_ptr<const Message> response;
};
/// What became of our offer(): the other side's answer (`status` 2xx), or the status that refused it, and all is as
/// before.
struct OfferAnswered {
  LegId leg = 0;
  int status = 0;
  std::string sdp;
};
/// A REFER in the dialog (RFC 3515): answer with accept_refer() or reject_refer().
struct ReferReceived {
  LegId leg = 0;
  std::string refer_to;     ///< as received: a URI, perhaps with Replaces among its headers
  std::string referred_by;  ///< as received, or empty
  LegId replaces = 0;       ///< the leg of this user agent that refer_to's Replaces names, or 0
};
/// The caller gave up before our final response. 487 is on its way; Ended follows.
struct InviteCancelled {
  LegId leg = 0;
  std::string reason;  ///< the CANCEL's Reason header, or empty
};
/// Our 2xx was acknowledged. `sdp`: the answer, if the 2xx carried the offer (late offer), else empty.
struct Acknowledged {
  LegId leg = 0;
  std::string sdp;
  bool unanswered = false;  ///< the 2xx carried our offer, and the ACK brought no answer (RFC 3261 13.2.1)
};
/// A reliable provisional response was acknowledged (RFC 3262). `sdp`: the answer, if it carried our offer, else empty.
struct ProvisionalAcknowledged {
  LegId leg = 0;
  std::string sdp;
  bool unanswered = false;  ///< it carried our offer, and the PRACK brought no answer
};
/// A request in the dialog that wants a session description: answer with answer_offer() or reject_offer(). An empty
/// `sdp`: a re-INVITE without an offer, to be answered with our offer; its answer comes in Acknowledged. An UPDATE
/// without one is answered by the user agent. Before the INVITE is answered it comes by UPDATE or PRACK, if a reliable
/// provisional response has settled what the INVITE offered (RFC 3262 section 5, RFC 3311 5.2).
struct OfferReceived {
  enum class Method : std::uint8_t { invite, update, prack };
  LegId leg = 0;
  Method method = Method::invite;
  std::string sdp;
};
/// An UPDATE without a body (session refresh): has been answered; for the application's callNotify only.
struct Refreshed {
  LegId leg = 0;
  bool by_invite = false;
};
/// Our session refresh (RFC 4028) was refused; it is tried again, until the session expires.
struct RefreshRefused {
  LegId leg = 0;
  int status = 0;
};
/// An INFO request, or a part of its body if that has several; has been answered 200.
struct InformationReceived {
  LegId leg = 0;
  std::string content_type;
  std::string body;
};
enum class EndCause : std::uint8_t {
  remote_bye,     ///< the other side sent BYE
  local_bye,      ///< we did, and it was answered or timed out
  rejected,       ///< our final response ended it
  cancelled,      ///< the caller's CANCEL, or ours
  cancel_failed,  ///< our CANCEL was refused, or the INVITE had no final response within 64*T1 of it
  failed,         ///< a final response >= 300 to our INVITE (`status`), none came (408), nobody could be reached (503)
  no_ack,         ///< our 2xx was never acknowledged; BYE has been sent
  session_expired,  ///< no refresh came (RFC 4028); BYE has been sent
  transport_failed
};

/// The last event of every leg but those that refuse() has ended, exactly once. Nothing of it is left in the user agent
/// but what RFC 3261 wants to linger.
struct Ended {
  LegId leg = 0;
  EndCause cause = EndCause::remote_bye;
  int status = 0;      ///< the status that ended it, or 0
  std::string reason;  ///< the Reason header as received, or empty
  std::string phrase;  ///< reason phrase of `status`, or what went wrong
};

using Event =
    std::variant<IncomingInvite, InviteCancelled, Progress, Answered, Acknowledged, ProvisionalAcknowledged,
                 OfferReceived, OfferAnswered, Refreshed, RefreshRefused, InformationReceived, ReferReceived, Ended>;

/// A host name has to be looked up (RFC 3263) before something can be sent. Answer with resolved(); after 64*T1 it is
/// taken as not found.
struct Lookup {
  std::uint64_t id = 0;
  std::string uri;  ///< the URI of the next hop: sip: or sips:, with port and transport parameter as given
};

/// What is decided about a new INVITE before any state exists for it.
struct Admission {
  int status = 0;             ///< 0: let it in; otherwise the final response, sent statelessly
  int retry_after = 0;        ///< seconds, for 503; 0: no Retry-After
  bool silent = false;        ///< the response is not sent at all
  bool stranger = false;      ///< whom nobody has vouched for: its source may be forged, so refusals are not repeated
  Headers headers = {};       ///< of the response
  std::string_view why = {};  ///< a sentence for the log; lives as long as the process
};

/// A request that has been refused, for the log. Views into the message.
struct RefusedRequest {
  std::string_view method, call_id;  ///< empty where the message can't be read so far
  int status = 0;
  std::string_view why;
  const Flow& flow;
};

struct UserAgentOptions {
  std::string server_name;  ///< Server and User-Agent; empty: neither is sent
  std::string
      shard_tag;  ///< begins every Call-ID, tag and branch made here, so that the edge can route what comes back
  std::string advertise;                 ///< host for Contact and Via; empty: the flow's local address
  std::uint32_t session_expires = 1800;  ///< seconds asked for (RFC 4028)
  std::uint32_t min_session_expires = 90;
  Duration t1 = std::chrono::milliseconds(500);
  /// What we listen on: where requests outside a dialog are sent from, one for each transport that there is.
  std::vector<Flow> listeners;
  /// Asked before any work is done for an INVITE outside a dialog. May be empty.
  std::function<Admission(const Message& invite, const Flow& flow, TimePoint now)> admit;
  /// Whether whoever sends an INVITE may name this leg in its Replaces header; if not, it is as if there were no such
  /// leg. Empty: anybody.
  std::function<bool(LegId replaced, const Message& invite, const Flow& flow)> may_replace;
  /// Whether something may be sent to an address that the other side or the call layer's target has named: asked each
  /// time. Not asked about preset routes, and about where the other side's own requests come from. Empty: anywhere.
  std::function<bool(const net::Address&)> may_reach;
  /// Told when the response of a past transaction had to be forgotten before its time, because there are too many bytes
  /// of them. May be empty.
  std::function<void()> forgotten;
  /// Requests a second that the other side of a dialog may send, but for ACK, BYE, CANCEL and PRACK; further ones get
  /// 500 with Retry-After, and nothing is kept of them.
  double requests_per_second = 20;
  /// Told of each of those further ones. May be empty.
  std::function<void()> flooded;
  /// Told of each request that the user agent itself refuses, or refuses within a call for the call layer; not of
  /// challenges, of what admit() has refused, and of 487. May be empty.
  std::function<void(const RefusedRequest&)> refused;
};

class UserAgent {
 public:
  explicit UserAgent(UserAgentOptions options);
  ~UserAgent();

  // ---- input
  /// One whole message (a datagram, or what the stream framing cut out).
  void receive(const Flow& flow, std::string_view message, TimePoint now);
  /// A stream connection was closed, or could not be opened.
  void connection_closed(const Flow& flow, TimePoint now);
  /// Fires the timers that are due.
  void advance(TimePoint now);
  /// Answers a Lookup: the hops to try, best first (`transport` and `remote`); none: there is no such host.
  void resolved(std::uint64_t lookup, std::vector<Flow> hops, TimePoint now);

  // ---- output
  std::optional<TimePoint> next_timer() const;
  void take_lookups(std::vector<Lookup>& into);
  /// Moves what is to be sent to the end of `into`.
  void take_transmits(std::vector<Transmit>& into);
  void take_events(std::vector<Event>& into);

  // ---- commands: the server side. Commands for a leg that has ended, or is in the wrong state, return false and do
  // nothing.
  /// 101–199. Sent reliably if the caller requires 100rel, or supports it and there is SDP; then only when the one
  /// before has been acknowledged.
  bool provisional(LegId leg, int status, std::string sdp, const Headers& headers, TimePoint now);
  /// Whether provisional() has to bring our offer: the INVITE had none, and wants all responses to be reliable
  /// (RFC 3262 section 5).
  bool wants_early_offer(LegId leg) const;
  /// 200 with the answer, or the offer if the INVITE had none. Without either if a reliable provisional response has
  /// settled that.
  bool answer(LegId leg, std::string sdp, const Headers& headers, TimePoint now);
  /// The final response `status` (300–699), before anything else has been done for the INVITE: nothing of it is kept,
  /// no 100 is sent, and the same INVITE would come as a new one (RFC 3261 8.2.7). After take_transmits(), as reject().
  bool refuse(LegId leg, int status, const Headers& headers, TimePoint now);
  /// The final response `status` (300–699).
  bool reject(LegId leg, int status, const Headers& headers, TimePoint now);

  // ---- commands: the client side
  /// Sends an INVITE. Progress, Answered and Ended tell what becomes of it. The error names the part that can't be
  /// used.
  Result<LegId> invite(OutgoingInvite invite, TimePoint now);
  /// CANCEL, as soon as there has been a provisional response. Ended follows: `cancelled`, or `cancel_failed`; a 2xx
  /// that crosses it is acknowledged and ended with BYE. Only before Answered.
  bool cancel(LegId leg, const std::string& reason, TimePoint now);

  // ---- commands: either side of an established dialog
  /// Offers a new session description by re-INVITE, as soon as our own 2xx has been acknowledged and no session refresh
  /// is under way. Glare (491) is waited out and tried again, a longer session interval (422) is agreed to.
  /// OfferAnswered follows, unless the leg ends first (408 or 481: `failed`). False also while an offer of theirs has
  /// not been answered, or another one of this command is open. Descriptions are the caller's: so is the version in o=.
  bool offer(LegId leg, std::string sdp, TimePoint now);
  /// 202; from now on notify_refer() tells how the referred call gets on.
  bool accept_refer(LegId leg, TimePoint now);
  bool reject_refer(LegId leg, int status, TimePoint now);
  /// NOTIFY with message/sipfrag (RFC 3515 2.4.5); a `status` of 200 or more is the last one. accept_refer() has sent
  /// 100 already. False if the other side wants none (RFC 4488), or has had the last one.
  bool notify_refer(LegId leg, int status, TimePoint now);
  /// Answers OfferReceived (200).
  bool answer_offer(LegId leg, std::string sdp, TimePoint now);
  bool reject_offer(LegId leg, int status, const Headers& headers, TimePoint now);
  /// BYE with a Reason header unless `reason` is empty. Ended follows. False if there is no answer yet, or if it still
  /// waits for a PRACK: reject() takes it back.
  bool bye(LegId leg, const std::string& reason, TimePoint now);

  // ---- what is known
  /// The dialog's Call-ID; empty if there is no such leg.
  std::string call_id(LegId leg) const;
  /// The session interval agreed (RFC 4028), seconds; 0 if none.
  std::uint32_t session_interval(LegId leg) const;
  /// While draining, OPTIONS is answered 503.
  void set_draining(bool draining);

  struct Counts {
    std::size_t legs = 0;          ///< INVITE usages that have not Ended
    std::size_t transactions = 0;  ///< including those that only linger
    std::size_t timers = 0;
  };
  Counts counts() const;
  /// The keys of the server transactions that there are, those that only linger included: by them another process tells
  /// which requests belong to this one (ownership.h).
  std::vector<std::string> server_transactions() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rw::sip
