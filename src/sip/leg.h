#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/timers.h"
#include "base/token_bucket.h"
#include "sip/authorisation.h"
#include "sip/dialog.h"
#include "sip/incoming_request.h"
#include "sip/outgoing_call.h"
#include "sip/session_timer.h"
#include "sip/user_agent.h"

namespace rw::sip {

/// A request that waits for our final response, with the transaction it came by.
struct Pending {
  IncomingRequest request;
  std::string transaction;
};

/// The state of one INVITE usage: the dialog, and what of offer/answer, 100rel and the session timer is under way. Of
/// the early dialogs of a fork, the leg's own is the one that spoke last.
struct Leg : Dialog {
  LegId id = 0;

  // ---- the client side
  std::unique_ptr<OutgoingCall> call;    ///< until our INVITE has been answered
  bool outgoing = false;                 ///< the INVITE was ours, and so is the Call-ID
  std::shared_ptr<DigestClient> digest;  ///< null: no credentials

  // ---- the INVITE that is being answered: the first, or a re-INVITE
  std::optional<Pending> invite;
  bool untold = false;            ///< the caller has not had its 100
  Timer invitation;               ///< when the first INVITE's Expires is over
  std::optional<Pending> update;  ///< an UPDATE, or a PRACK, with an offer
  bool settled = false;      ///< what the INVITE offered was answered before its 2xx, by what has been acknowledged
  bool moved_on = false;     ///< and another offer after that
  bool established = false;  ///< a 2xx has been sent, or has come, for the first INVITE
  bool leaving = false;      ///< our BYE is under way

  /// A 2xx that has not been acknowledged.
  struct Unacknowledged {
    std::uint32_t cseq = 0;
    std::string bytes;
    Flow flow;
    Duration interval{};
    bool wants_answer = false;  ///< it carries our offer
    Timer retransmit;
    Timer give_up;
  };
  std::optional<Unacknowledged> success;

  /// A reliable provisional response that has not been acknowledged (RFC 3262).
  struct Reliable {
    std::uint32_t rseq = 0;
    std::string bytes;
    Duration interval{};
    bool described = false;     ///< it carries a description of ours
    bool wants_answer = false;  ///< which is an offer
    Timer retransmit;
    Timer give_up;
  };
  std::optional<Reliable> reliable;
  std::uint32_t next_rseq = 1;

  /// A response that waits for the PRACK, or a BYE that waits for the ACK.
  struct Deferred {
    int status = 200;
    std::string sdp;
    Headers headers;
  };
  std::optional<Deferred> deferred_progress;
  std::optional<Deferred> deferred_answer;
  std::optional<std::string> deferred_bye;  ///< its Reason

  // ---- our offers in the established dialog
  struct Offer {
    std::string sdp;
    bool refresh = false;  ///< the session timer's, not the call layer's
    int attempts = 0;
    Timer retry;  ///< after a 491
  };
  std::optional<Offer> offer;             ///< until it has been answered, whether or not it is on the wire
  std::optional<std::string> next_offer;  ///< the call layer's, that waits for a refresh to be over
  std::shared_ptr<SentInvite> reinvite;   ///< the re-INVITE under way that carries `offer`
  /// Whether an offer of ours has been sent that has no answer.
  bool offering() const {
    return reinvite || (call && !answered) || (success && success->wants_answer) ||
           (reliable && reliable->wants_answer);
  }

  TokenBucket requests;  ///< of the other side, within the dialog

  // ---- REFER
  struct Subscription {
    std::string event;        ///< Event header of its notifications
    bool unanswered = false;  ///< a NOTIFY is under way
    bool over = false;        ///< the last one has been sent
    std::optional<int> next;  ///< status to notify when the one under way has been answered
  };
  std::optional<Pending> refer;  ///< waits for accept_refer() or reject_refer()
  std::optional<Subscription> subscription;
  int referrals = 0;  ///< REFERs that were accepted

  // ---- session timer
  SessionTimer session;
  Timer session_timer;   ///< the next refresh, if it is ours
  Timer session_expiry;  ///< the end, if none succeeds
  bool peer_allows_update = false;
  std::string last_sdp;  ///< our last description, for a refresh by re-INVITE
};

}  // namespace rw::sip
